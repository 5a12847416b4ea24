"""The paper's claims: the paper's numbers, this run's, and holds, does not hold or undecided.

The criteria are fixed in criteria.py before any run; a claim that fails is printed as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd

from criteria import (
    ABLATIONS,
    STUDENTS,
    ablation_claim,
    correlation_claim,
    cost_claim,
    curve_claim,
    interpolation_claim,
    order_claim,
)
from pages import to_html
from paper import PAPER_R
from results import (
    read_cost,
    read_curve,
    read_intra_pair,
    read_scores,
    read_steps,
)
from script import Run, main
from seeds import seeds_in
from tables import describe, markdown_table
from tinygan.files import write_json, write_text
from tinygan.seeding import stream
from verdicts import Claim

TITLE = "The paper's claims on this run"


def claims(run: Run) -> list[Claim]:
    """Write the claims as Markdown, as a page of HTML and as JSON; return them."""
    scores = read_scores(run.inputs["scores"], ["teacher", *STUDENTS, "scratch", *ABLATIONS])
    judged = [
        cost_claim(read_cost(run.inputs["cost_paper"]), read_cost(run.inputs["cost"])),
        order_claim(scores),
        ablation_claim(scores),
        curve_claim(*(read_curve(run.inputs["curves"], name) for name in ("dw", "scratch"))),
        correlation_claim(
            {student: read_intra_pair(run.inputs["intra"], student)[:2] for student in PAPER_R},
            partial(stream, run.config["seed"], "analysis/bootstrap"),
        ),
        interpolation_claim(read_steps(run.inputs["interpolation"], "dw")),
    ]
    text = _text(judged, describe(run, scores))
    write_text(run.out.with_suffix(".md"), text)
    write_text(run.out.with_suffix(".html"), to_html(text, TITLE))
    write_json(run.out.with_suffix(".json"), _json(run.config, scores, judged))
    return judged


def _text(judged: Sequence[Claim], described: str) -> str:
    summary = [[f"{c.number}. {c.title}", c.verdict, c.reason] for c in judged]
    parts = [
        f"# {TITLE}\n",
        markdown_table(["claim", "verdict", "reason"], summary, words=True),
        f"{described}\n",
    ]
    for claim in judged:
        parts += [
            f"## {claim.number}. {claim.title}\n",
            markdown_table(claim.header, claim.rows),
            f"Holds if {claim.check}. {claim.note}".strip() + "\n",
            f"**This run: {claim.verdict}** ({claim.reason}).\n",
        ]
    return "\n".join(parts)


def _json(
    config: Mapping[str, Any], scores: pd.DataFrame, judged: Sequence[Claim]
) -> dict[str, Any]:
    return {
        "preset": config["preset"],
        "seeds": seeds_in(scores, config["variants"]),
        "claims": [asdict(claim) for claim in judged],
    }


if __name__ == "__main__":
    main(
        claims,
        __doc__,
        scores="scores/*.json",
        intra="intra_fid/*.csv",
        curves="scores/curve/*.csv",
        cost="cost.csv",
        cost_paper="tables/cost_paper.csv",
        interpolation="interpolation.csv",
    )
