"""Table 1: cost and scores of the teacher, the students and the paper's baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from paper import COST, PAPER, SCORES, compares, labels, own_variants
from results import INTERVALS, MORE, read_cost, read_scores
from script import Run, main
from seeds import over_seeds
from tables import (
    INTERVAL_NOTE,
    Block,
    describe,
    number,
    quantity,
    score_heading,
    with_spread,
    write_table,
)

ROWS = {
    "sngan": "SNGAN-proj",
    "sagan": "SAGAN",
    "teacher": "Teacher",
}
STUDENTS = ("std", "std_half", "dw")
SIZES = ["Ch.", "#Par.", "G Par.", "MACs"]
QUALITY = {"inception_score": "IS ↑", "fid": "FID ↓", "intra_fid": "intra-FID ↓"}
DEVIATIONS = [f"{key}_sd_seeds" for key in QUALITY]


def table1(run: Run) -> pd.DataFrame:
    """Write Table 1; return its numbers, the paper's in columns paper_*, absent ones NaN."""
    outside, beside = list(run.config["sources"]), compares(run.config)
    own = own_variants(run.config)
    ours = ["teacher", *STUDENTS, *own, "real"]
    read = read_scores(run.inputs["scores"], [*ours, *outside])
    scores, cost = over_seeds(read), read_cost(run.inputs["cost"])
    # The cost of a teacher that is a Python function is unknown.
    absent = [source for source in ours if source not in (*cost.index, "real", "teacher")]
    if absent:
        raise ValueError(f"{run.inputs['cost'][0]} lacks {', '.join(absent)}; make it again")
    records, sizes, quality = [], [], []
    for source, name in _names(run.config, outside, own, beside).items():
        mine = {key: cost[key].get(source) for key in COST}
        measured = [*SCORES, *MORE, *INTERVALS, *DEVIATIONS]
        mine |= {key: scores[key].get(source) for key in measured}
        paper = {key: PAPER.get(source, {}).get(key) for key in COST + SCORES}
        facts = {key: scores[key].get(source) for key in ("extractor", "samples", "real_samples")}
        facts |= {"preset": run.config["preset"], "seed": run.config["seed"]}
        facts |= {"seeds": scores.seeds.get(source) if source in run.config["variants"] else None}
        prefixed = {f"paper_{key}": value for key, value in paper.items()}
        records.append({"model": name, "source": source} | mine | prefixed | facts)
        sizes.append((name, _sizes(mine), _sizes(paper)))
        quality.append((name, [with_spread(mine, key) for key in QUALITY], _papers(paper)))
    frame = pd.DataFrame(records)
    counts = ["samples", "real_samples", "seeds", *COST, *(f"paper_{key}" for key in COST)]
    frame[counts] = frame[counts].astype(float).astype("Int64")
    heading = f"Scores of this run: {score_heading(scores.seeds.max())}"
    blocks = [
        Block("Cost", SIZES, SIZES if beside else [], sizes),
        Block(heading, [*QUALITY.values()], [*QUALITY.values()] if beside else [], quality),
    ]
    note = _note(describe(run, read), scores, own, outside, beside)
    if "teacher" not in cost.index:
        note += " The teacher is a Python function, whose cost is unknown."
    write_table(run.out, frame, blocks, "Table 1", "Cost and scores", note)
    return frame


def _note(
    described: str, scores: pd.DataFrame, own: Sequence[str], outside: Sequence[str], beside: bool
) -> str:
    note = (
        f"{described} Real images (split): {scores.samples['real']:,} of the real "
        f"images against the other {scores.real_samples['real']:,}, the floor that sampling alone "
        "gives. MACs: multiply-accumulates for one image (the paper's FLOPs). "
    )
    if beside:
        note += (
            "The paper's teacher is BigGAN-deep; its baselines SNGAN-proj and SAGAN are not trained"
            " here. "
        )
    note += INTERVAL_NOTE
    if scores.seeds.max() > 1:
        note += (
            " Before it, ±: the standard deviation over the seeds of the training; the teacher, "
            "the real images and sources from outside have none."
        )
    if beside:
        note += " The paper's ± after IS is the deviation over the splits of the score."
    if own:
        note += f" Variants of this run that the paper does not have: {', '.join(own)}."
    if outside:
        note += f" From outside this pipeline: {', '.join(outside)}."
    return note


def _names(
    config: Mapping[str, Any], outside: Sequence[str], own: Sequence[str], beside: bool
) -> dict[str, str]:
    """Return the rows: the paper's, own variants, sources from outside, real images.

    A source called sngan or sagan fills the row of that baseline.
    """
    first = ROWS if beside else {"teacher": "Teacher"}
    named = labels(config)
    students = {name: named[name] for name in (*STUDENTS, *own)}
    added = {source: source for source in outside if source not in first}
    return first | students | added | {"real": "Real images (split)"}


def _sizes(values: Mapping[str, Any]) -> list[str]:
    return [
        number(values["channels"], 0),
        quantity(values["parameters_total"], 1e6),
        quantity(values["parameters_generator"], 1e6),
        quantity(values["macs"], 1e9),
    ]


def _papers(values: Mapping[str, Any]) -> list[str]:
    cells = [_printed(values[key]) for key in QUALITY]
    if cells[0] != "–":
        cells[0] += f" ± {_printed(values['inception_score_std'])}"
    return cells


def _printed(value: float | None) -> str:
    # The paper gives one decimal, but two for some Inception scores: none is dropped or added.
    return number(value, 1 if value is None or round(value, 1) == value else 2)


if __name__ == "__main__":
    main(table1, __doc__, scores="scores/*.json", cost="cost.csv")
