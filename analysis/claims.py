"""The paper's claims, each with the paper's numbers, this run's, and whether it holds here.

The criteria are fixed in this file before any run; a claim that fails is printed as such.
"""

import math
from dataclasses import dataclass

import pandas as pd

from measures import MIN_CLASSES, MIN_POINTS, correlation, tail_spread
from pages import to_html
from paper import NAMES, PAPER, PAPER_R
from results import read_cost, read_curve, read_intra_pair, read_scores
from script import Run, main
from tables import describe, markdown_table, number
from tinygan.files import write_text

STUDENTS = ("std", "dw", "std_half")  # in the order of the paper's FID, best first
ABLATIONS = ("no_feat", "no_gan", "no_kd_adv", "pix_only")
METRICS = {"fid": "FID", "intra_fid": "intra-FID"}
POINTS = 0.5  # percentage points by which a fraction may differ from Table 1's rounded figures


@dataclass(frozen=True)
class Claim:
    """One claim: what the paper says, how it is checked, the numbers, and the verdict."""

    title: str
    check: str
    header: list[str]
    rows: list[list[str]]
    holds: bool | None  # None: not to be told from this run
    needs: str = ""  # what a run must have to tell

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        if self.holds is None:
            return f"not judged: needs {self.needs}" if self.needs else "cannot be told"
        return "holds" if self.holds else "does not hold"


def cost_claim(cost: pd.DataFrame) -> Claim:
    """Claim 1, from cost.csv: the students' fractions of the teacher's parameters and MACs."""
    rows, verdicts = [], []
    for student in STUDENTS:
        for key, name in (("parameters_generator", "generator parameters"), ("macs", "MACs")):
            paper = 100 * PAPER[student][key] / PAPER["teacher"][key]
            run = 100 * cost[key][student] / cost[key].get("teacher", math.nan)
            verdicts.append(abs(run - paper) <= POINTS)
            shown = "–" if math.isnan(run) else f"{run:.1f} %"
            rows.append([f"{NAMES[student]}, {name}", f"{paper:.1f} %", shown])
    return Claim(
        "The students need the stated fraction of the teacher's parameters and MACs",
        f"every fraction is within {POINTS} percentage points of Table 1's (rounded) figures; "
        "a preset with another teacher or other widths has other fractions",
        ["fraction of the teacher", "paper", "this run"],
        rows,
        all(verdicts) if "teacher" in cost.index else None,
    )


def order_claim(scores: pd.DataFrame) -> Claim:
    """Claim 2, from the scores: TinyGAN-std before -dw before -std with half the channels."""
    ordered = [scores[key]["std"] < scores[key]["dw"] < scores[key]["std_half"] for key in METRICS]
    return Claim(
        "TinyGAN-std is better than TinyGAN-dw, and that better than TinyGAN-std with half the "
        "channels",
        "FID and intra-FID both rise strictly in this order",
        *_scores(scores, STUDENTS),
        all(ordered),
    )


def ablation_claim(scores: pd.DataFrame) -> Claim:
    """Claim 3, from the scores: each loss helps, and the pixel loss alone is the worst."""
    verdicts = []
    for key in METRICS:
        ablated = scores[key][list(ABLATIONS)]
        others = ablated.drop("pix_only")
        verdicts += [ablated.min() > scores[key]["dw"], ablated["pix_only"] > others.max()]
    return Claim(
        "Every ablation is worse than the full objective, and the pixel loss alone is the worst",
        "in FID and in intra-FID, every ablation is strictly above the full objective, and "
        "the pixel loss alone strictly above every other ablation",
        *_scores(scores, ("dw", *ABLATIONS)),
        all(verdicts),
    )


def curve_claim(distilled: pd.DataFrame, scratch: pd.DataFrame) -> Claim:
    """Claim 4, from the learning curves: distillation trains smoothly, from scratch does not."""
    curves = {
        NAMES["dw"]: distilled.mean(axis=1).to_numpy(),
        NAMES["scratch"]: scratch.mean(axis=1).to_numpy(),
    }
    enough = min(map(len, curves.values())) >= MIN_POINTS
    spreads = [tail_spread(fid) if enough else math.nan for fid in curves.values()]
    rows = [
        [name, spoken, number(spread), f"{fid.min():.2f}", f"{fid[-1]:.2f}"]
        for (name, fid), spread, spoken in zip(
            curves.items(), spreads, ("smooth (Fig. 8)", "fails (Fig. 8)"), strict=True
        )
    ]
    return Claim(
        "Distillation trains smoothly, training from scratch does not",
        "the tail's spread, max - min of FID over the second half of the curve's points, is "
        "smaller for the distilled student; the paper gives the curves, but no numbers",
        ["training", "paper", "tail spread", "lowest FID", "last FID"],
        rows,
        spreads[0] < spreads[1] if enough else None,
        f"at least {MIN_POINTS} points of each learning curve: set train.snapshots",
    )


def correlation_claim(found: dict[str, float | None]) -> Claim:
    """Claim 5, from Pearson's r of each student: classes hard for the teacher are hard for it."""
    return Claim(
        "Teacher and student intra-FID correlate positively over the classes",
        "Pearson's r is above zero for both students",
        ["Pearson's r with the teacher", "paper", "this run"],
        [[NAMES[s], number(PAPER_R[s]), number(found[s])] for s in PAPER_R],
        None if None in found.values() else all(r > 0 for r in found.values()),
        f"at least {MIN_CLASSES} classes whose scores differ",
    )


def _scores(scores: pd.DataFrame, sources: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    header = ["model", *(f"{who} {m}" for m in METRICS.values() for who in ("paper", "run"))]
    rows = [
        [
            NAMES[source],
            *(
                cell
                for key in METRICS
                for cell in (number(PAPER[source][key], 1), number(scores[key][source]))
            ),
        ]
        for source in sources
    ]
    return header, rows


def claims(run: Run) -> list[Claim]:
    """Write the claims as Markdown and as a page of HTML; return them."""
    scores = read_scores(run.inputs["scores"], ["teacher", *STUDENTS, "scratch", *ABLATIONS])
    curves = [read_curve(run.inputs["curves"], variant) for variant in ("dw", "scratch")]
    found = {s: correlation(*read_intra_pair(run.inputs["intra"], s)[:2]) for s in PAPER_R}
    judged = [
        cost_claim(read_cost(run.inputs["cost"])),
        order_claim(scores),
        ablation_claim(scores),
        curve_claim(*curves),
        correlation_claim(found),
    ]
    summary = [[f"{i}. {c.title}", c.verdict] for i, c in enumerate(judged, start=1)]
    parts = [
        "# The paper's claims on this run\n",
        markdown_table(["claim", "verdict"], summary),
        describe(run, scores) + " One run, one seed: a small difference may be noise.\n",
    ]
    for i, claim in enumerate(judged, start=1):
        parts += [
            f"## {i}. {claim.title}\n",
            markdown_table(claim.header, claim.rows),
            f"Holds if {claim.check}.\n",
            f"**This run: {claim.verdict}.**\n",
        ]
    text = "\n".join(parts)
    write_text(run.out.with_suffix(".md"), text)
    write_text(run.out.with_suffix(".html"), to_html(text, "The paper's claims on this run"))
    return judged


if __name__ == "__main__":
    main(
        claims,
        __doc__,
        scores="scores/*.json",
        intra="intra_fid/*.csv",
        curves="scores/curve/*.csv",
        cost="cost.csv",
    )
