"""The criteria of the paper's claims: each gives holds, does not hold or undecided, and why.

They are fixed in this file before any run. A claim on scores is judged on paired differences: of
two variants trained with the same seed, one difference per seed.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from measures import MIN_CLASSES, MIN_POINTS, bootstrap_correlation, tail_spread
from paper import NAMES, PAPER, PAPER_R
from seeds import Difference, difference, paired
from tables import interval, needed, number, signed
from verdicts import FAILS, HOLDS, UNDECIDED, Claim, by_signs, judge

STUDENTS = ("std", "dw", "std_half")  # in the order of the paper's FID, best first
ABLATIONS = ("no_feat", "no_gan", "no_kd_adv", "pix_only")
METRICS = {"fid": "FID", "intra_fid": "intra-FID"}
POINTS = 0.5  # percentage points by which a fraction may differ from Table 1's rounded figures
JUMP = 1.25  # of the teacher's largest step over its mean step, which a student's may reach
KINDS = {"z": "z changes, class fixed", "y": "class changes, z fixed"}
COMPARED = ["paper", "this run", "95 % interval", "seeds that would decide"]
_PAIRED = (
    "Numbers of this run are means over the seeds, intervals those of the mean difference, paired"
    " by seed (Student's t), not widened for the number of comparisons. How many seeds would decide"
    " is estimated from the mean and the deviation of these few."
)


def cost_claim(counted: pd.DataFrame, cost: pd.DataFrame) -> Claim:
    """Claim 1: the students' fractions of the teacher's parameters and MACs.

    Args:
        counted: cost_paper.csv, the paper's own sizes as this code counts them.
        cost: cost.csv, this preset's sizes, which are shown beside; the teacher's may be unknown.
    """
    rows, wrong = [], []
    for student in STUDENTS:
        for key, name in (("parameters_generator", "generator parameters"), ("macs", "MACs")):
            paper = 100 * PAPER[student][key] / PAPER["teacher"][key]
            found = 100 * counted[key][student] / counted[key]["teacher"]
            preset = 100 * cost[key][student] / cost[key].get("teacher", np.nan)
            name = f"{NAMES[student]}, {name}"
            rows.append([name, *(_percent(value) for value in (paper, found, preset))])
            wrong += [name] if abs(found - paper) > POINTS else []
    return Claim(
        1,
        "The students need the stated fraction of the teacher's parameters and MACs",
        f"at the paper's sizes every fraction is within {POINTS} percentage points of that of "
        "Table 1's rounded figures",
        *(
            (FAILS, f"{wrong[0]} differs by more")
            if wrong
            else (HOLDS, f"all {len(rows)} fractions agree")
        ),
        ["fraction of the teacher", "paper", "the paper's sizes, counted here", "this preset"],
        rows,
        "The paper says about 18 % and 6 % of the parameters, 28 % and 5 % of the FLOPs, for "
        "TinyGAN-std and TinyGAN-dw. A preset with another teacher or other widths has other "
        "fractions; they do not decide the claim.",
    )


def order_claim(scores: pd.DataFrame) -> Claim:
    """Claim 2, from `read_scores`: TinyGAN-std before -dw before -std with half the channels."""
    return _comparisons(
        2,
        "TinyGAN-std is better than TinyGAN-dw, and that better than TinyGAN-std with half the "
        "channels",
        "FID and intra-FID both rise in this order",
        scores,
        [("dw", "std"), ("std_half", "dw")],
    )


def ablation_claim(scores: pd.DataFrame) -> Claim:
    """Claim 3, from `read_scores`: each loss helps, and the pixel loss alone is the worst."""
    worse = [(each, "dw") for each in ABLATIONS]
    return _comparisons(
        3,
        "Every ablation is worse than the full objective, and the pixel loss alone is the worst",
        "in FID and in intra-FID, every ablation is worse than the full objective, and the pixel "
        "loss alone worse than every other one",
        scores,
        worse + [("pix_only", each) for each in ABLATIONS if each != "pix_only"],
    )


def curve_claim(distilled: pd.DataFrame, scratch: pd.DataFrame) -> Claim:
    """Claim 4, from two of `read_curve`: distillation trains smoothly, from scratch does not."""
    curves = {"dw": distilled, "scratch": scratch}
    enough = min(map(len, curves.values())) >= MIN_POINTS
    points = {(name, seed): each[seed] for name, each in curves.items() for seed in each}
    tails = pd.DataFrame(
        {
            "spread": [
                tail_spread(fid.to_numpy()) if enough else np.nan for fid in points.values()
            ],
            "last": [fid.iloc[-1] for fid in points.values()],
        },
        index=pd.MultiIndex.from_tuples(points, names=["source", "train_seed"]),
    )
    rows = []
    for name, words in (("dw", "smooth (Fig. 8)"), ("scratch", "fails (Fig. 8)")):
        spread, last = tails.loc[name].mean()
        rows.append([f"tail spread, {NAMES[name]}", words, number(spread), "–", "–"])
        rows.append([f"last FID, {NAMES[name]}", "–", number(last), "–", "–"])
    if enough:
        found = difference(paired(tails, "spread", "scratch", "dw"))
        what = "tail spread, scratch − dw"
        verdict = judge({what: found})
        rows.append([what, "above 0", signed(found.mean), interval(found), needed(found)])
    else:
        points_needed = f"needs at least {MIN_POINTS} points of each learning curve"
        verdict = (UNDECIDED, f"{points_needed}: set train.snapshots")
    return Claim(
        4,
        "Distillation trains smoothly, training from scratch does not",
        "the tail's spread, max - min of FID over the second half of the curve's points, is larger "
        "from scratch than distilled: the interval of the difference is above zero; it does not "
        "hold if that is below",
        *verdict,
        ["learning curve", *COMPARED],
        rows,
        f"The paper gives the curves, but no numbers. {_PAIRED}",
    )


def correlation_claim(
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]], rng: Callable[[], np.random.Generator]
) -> Claim:
    """Claim 5: classes hard for the teacher are hard for both students.

    Args:
        scores: by student, the teacher's and its own intra-FID per class, averaged over seeds.
        rng: gives the bootstrap's generator, the same for each student.
    """
    found = {student: bootstrap_correlation(*scores[student], rng()) for student in PAPER_R}
    rows = [
        [NAMES[s], number(PAPER_R[s]), number(r[0]), f"{number(r[1])} to {number(r[2])}"]
        if r
        else [NAMES[s], number(PAPER_R[s]), "–", "–"]
        for s, r in found.items()
    ]
    known = [r for r in found.values() if r]
    names = [f"{NAMES[student]}'s interval" for student in found]
    if len(known) < len(found):
        verdict = (UNDECIDED, f"needs at least {MIN_CLASSES} classes whose scores differ")
    else:
        signs = [int(low > 0) - int(high < 0) for _, low, high in known]
        verdict = by_signs(signs, names, "both intervals are above zero")
    return Claim(
        5,
        "Teacher and student intra-FID correlate positively over the classes",
        "Pearson's r is above zero for both students: the lower ends of both intervals are; it "
        "does not hold if an upper end is below",
        *verdict,
        ["Pearson's r with the teacher", "paper", "this run", "95 % interval"],
        rows,
        "Scores per class are averaged over the seeds. The interval is the bootstrap's over "
        f"{len(next(iter(scores.values()))[0])} classes (10,000 resamples, percentiles); a few "
        "outlying classes may make most of r.",
    )


def interpolation_claim(steps: pd.DataFrame | None) -> Claim:
    """Claim 6, from `read_steps` of the dw student and the teacher; None: there is none."""
    rows, reason, signs = [], "", []
    for kind, words in KINDS.items():
        ratios = _ratios(steps, kind)
        student, teacher = ratios.get("dw"), ratios.get("teacher")
        shown = [number(None if r is None else r.mean()) for r in (student, teacher)]
        cells = ["–", "–"]
        if student is None:
            reason = reason or "no interpolation of TinyGAN-dw"
        elif teacher is None:
            reason = reason or "the teacher cannot be interpolated"
        else:
            _require_same_paths(student, teacher, kind)
            found = difference((student - JUMP * teacher.loc[student.index]).to_numpy())
            cells = [signed(found.mean), interval(found)]
            reason = reason or ("one path" if found.count == 1 else "")
            signs.append(-found.sign)
        rows.append([words, "no jumps (Fig. 10)", *shown, *cells])
    names = [f"the interval of {kind}" for kind in KINDS]
    return Claim(
        6,
        "The student interpolates between latent vectors and between classes without jumps",
        "the largest step of an interpolation over its mean step, in feature space, exceeds "
        f"{JUMP} times the teacher's on average over the paths neither for z nor for the class: "
        "both intervals of the excess are below zero; it does not hold if one is above",
        *(
            (UNDECIDED, reason)
            if reason
            else by_signs(signs, names, "no larger jumps", wrong="above")
        ),
        ["interpolation", "paper", "TinyGAN-dw", "teacher", "excess", "95 % interval"],
        rows,
        "Of the first seed's student. The excess is the student's largest step over its mean step, "
        f"minus {JUMP} times the teacher's on the same path; its interval is over the paths.",
    )


def _ratios(steps: pd.DataFrame | None, kind: str) -> dict[str, pd.Series]:
    """Return largest over mean step by path, for each source."""
    if steps is None:
        return {}
    chosen = steps[steps.kind == kind].set_index("path")
    return {
        source: rows.largest / rows["mean"] for source, rows in chosen.groupby("source", sort=False)
    }


def _require_same_paths(student: pd.Series, teacher: pd.Series, kind: str) -> None:
    if not student.index.is_unique or set(student.index) != set(teacher.index):
        raise ValueError(
            f"interpolation.csv: dw and the teacher have different paths of kind {kind}; "
            "make it again"
        )


def _comparisons(
    number: int, title: str, check: str, scores: pd.DataFrame, worse: Sequence[tuple[str, str]]
) -> Claim:
    """Return a claim that of these pairs of variants the first has the higher scores."""
    found = {
        (key, *pair): difference(paired(scores, key, *pair)) for key in METRICS for pair in worse
    }
    return Claim(
        number,
        title,
        f"{check}: every interval is above zero; it does not hold if one is below",
        *judge({_name(*which): each for which, each in found.items()}),
        ["difference", *COMPARED],
        [_row(scores, *which, each) for which, each in found.items()],
        _PAIRED,
    )


def _name(key: str, worse: str, better: str) -> str:
    return f"{METRICS[key]}, {NAMES[worse]} vs. {NAMES[better]}"


def _row(scores: pd.DataFrame, key: str, worse: str, better: str, found: Difference) -> list[str]:
    """Return a comparison's cells, each difference with the two scores that it is of."""
    paper = [PAPER[name][key] for name in (worse, better)]
    run = [scores[key].loc[name].mean() for name in (worse, better)]
    return [
        _name(key, worse, better),
        f"{paper[0]:.1f} − {paper[1]:.1f} = {signed(paper[0] - paper[1], 1)}",
        f"{run[0]:.2f} − {run[1]:.2f} = {signed(found.mean)}",
        interval(found),
        needed(found),
    ]


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1f} %"
