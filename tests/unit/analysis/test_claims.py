"""The verdict on each claim: clear, opposite and undecided results, of one seed and of several."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.run_results import call, reading, set_score, write_results

from tinygan.seeding import stream

measures, verdicts = (importlib.import_module(name) for name in ("measures", "verdicts"))
SEEDS = (0, 1, 2)
HOLDS, FAILS, UNDECIDED = verdicts.HOLDS, verdicts.FAILS, verdicts.UNDECIDED
PAIRED = ["undecided"] * 3  # claims 2 to 4 of one seed


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """The results of three seeds, in which claims 2 to 4 hold."""
    return write_results(tmp_path / "several", SEEDS)


def judged(results: Path) -> list:
    return call("claims", results, results / "claims")


def found(results: Path) -> list[str]:
    return [claim.verdict for claim in judged(results)]


def move(results: Path, variant: str, key: str, *changes: float) -> None:
    """Add to a score of a variant, one number per seed."""
    for seed, change in zip(SEEDS, changes, strict=True):
        name = reading.file_name(variant, seed)
        score = json.loads((results / "scores" / f"{name}.json").read_text())
        set_score(results, name, **{key: score[key] + change})


def write_curve(results: Path, variant: str, seed: int, fid: list[float]) -> None:
    path = results / "scores" / "curve" / f"{reading.file_name(variant, seed)}.csv"
    steps = [10 * (i + 1) for i in range(len(fid))]
    pd.DataFrame({"step": steps, "fid": fid}).to_csv(path, index=False)


def write_steps(results: Path, **largest: dict[str, list[float]]) -> None:
    """Write interpolation.csv: by source and kind the largest step of each path; the mean is 2."""
    rows = [
        {"source": source, "seed": 0, "kind": kind, "path": i, "largest": 2 * step, "mean": 2.0}
        for source, kinds in largest.items()
        for kind, steps in kinds.items()
        for i, step in enumerate(steps)
    ]
    pd.DataFrame(rows).to_csv(results / "interpolation.csv", index=False)


def test_three_seeds_decide_what_one_leaves_open(several: Path, results: Path) -> None:
    assert found(several) == [HOLDS] * 5 + [UNDECIDED]
    assert found(results) == [HOLDS, *PAIRED, HOLDS, UNDECIDED]
    text = (results / "claims.md").read_text()
    assert text.count("**This run: undecided** (one seed).") == 3
    assert "| 24.2 − 21.6 = +2.6 | 23.30 − 19.20 = +4.10 | – | unknown |" in text


def test_a_run_of_another_seed_alone(tmp_path: Path) -> None:
    results = write_results(tmp_path / "results", seeds=[1])
    assert found(results) == [HOLDS, *PAIRED, HOLDS, UNDECIDED]
    assert json.loads((results / "claims.json").read_text())["seeds"] == [1]


# Of both metrics, the differences that are planted are 4.1 and 4.6 (FID), 8.2 and 9.2 (intra-FID).
@pytest.mark.parametrize(
    ("number", "variant", "key", "changes", "verdict"),
    [
        (2, "std", "fid", (9, 9, 9), FAILS),  # above dw
        (2, "std", "fid", (4, 4.1, 9), UNDECIDED),
        (2, "std_half", "intra_fid", (-20, -19, -21), FAILS),
        (2, "std_half", "intra_fid", (0, 0, -30), UNDECIDED),
        (2, "std", "fid", (-9, -90, -1), UNDECIDED),  # better in each seed, but by how much?
        (3, "no_gan", "intra_fid", (-9, -9, -9), FAILS),  # better than dw
        (3, "no_gan", "fid", (0, -4, 0), UNDECIDED),
        (3, "no_kd_adv", "fid", (90, 90, 90), FAILS),  # worse than the pixel loss alone
        (3, "no_kd_adv", "fid", (44, 50, 40), UNDECIDED),
    ],
)
def test_scores_decide_either_way(
    several: Path, number: int, variant: str, key: str, changes: tuple, verdict: str
) -> None:
    move(several, variant, key, *changes)
    claims = judged(several)
    expected = [HOLDS] * 5 + [UNDECIDED]
    expected[number - 1] = verdict
    assert [claim.verdict for claim in claims] == expected
    reason = claims[number - 1].reason
    metric = {"fid": "FID", "intra_fid": "intra-FID"}[key]
    assert reason.startswith(f"the interval of {metric}, ")
    assert ("is below zero" if verdict == FAILS else "contains zero") in reason


def test_a_comparison_shows_mean_interval_and_seeds(several: Path) -> None:
    for seed, (dw, std) in zip(SEEDS, [(25, 20), (27, 21), (26, 25)], strict=True):
        set_score(several, reading.file_name("dw", seed), fid=dw)
        set_score(several, reading.file_name("std", seed), fid=std)
    claim = judged(several)[1]
    # By hand: differences 5, 6, 1; mean 4, deviation sqrt(7), t(2) = 4.303.
    row = ["24.2 − 21.6 = +2.6", "26.00 − 22.00 = +4.00", "−2.57 to +10.57", "5"]
    assert claim.rows[0] == ["FID, TinyGAN-dw vs. TinyGAN-std", *row]
    assert claim.verdict == UNDECIDED and claim.reason.endswith("; seeds that would decide: 5")


def test_the_reason_counts_the_open_comparisons_and_the_most_seeds(several: Path) -> None:
    move(several, "std", "fid", 4, 4.1, 9)
    move(several, "std", "intra_fid", 8, 8, 8.5)
    reason = judged(several)[1].reason
    assert "contains zero (and 1 more); seeds that would decide: " in reason
    needed = [row[-1] for row in judged(several)[1].rows if row[3].startswith("−")]
    assert len(needed) == 2
    assert reason.endswith(f": {max(needed, key=lambda n: int(n.split()[-1].replace(',', '')))}")


def test_the_paper_s_sizes_alone_decide_claim_1(results: Path) -> None:
    (results / "cost.csv").write_text(
        "source,architecture,channels,parameters_total,parameters_generator,macs\n"
        "dw,dw,4,9,9,9\nstd,std,4,9,9,9\nstd_half,std,4,9,9,9\nteacher,x,9,18,18,18\n"
    )
    claim = judged(results)[0]
    assert claim.verdict == HOLDS and claim.reason == "all 6 fractions agree"
    assert ["TinyGAN-dw, generator parameters", "6.2 %", "6.1 %", "50.0 %"] in claim.rows
    lines = (results / "cost.csv").read_text().splitlines(keepends=True)
    (results / "cost.csv").write_text("".join(lines[:-1]))  # a teacher of unknown cost
    claim = judged(results)[0]
    assert claim.verdict == HOLDS and claim.rows[2][1:] == ["6.2 %", "6.1 %", "–"]
    paper = results / "cost_paper.csv"
    paper.write_text(paper.read_text().replace("3070659", "3400000"))
    claim = judged(results)[0]
    assert claim.verdict == FAILS
    assert claim.reason == "TinyGAN-dw, generator parameters differs by more"


@pytest.mark.parametrize(
    ("scratch", "verdict"),
    [
        ([[60, 30], [62, 31], [61, 33]], HOLDS),
        ([[60, 60.1], [62, 62.3], [61, 61.2]], FAILS),
        ([[60, 62], [62, 62.1], [61, 61.1]], UNDECIDED),
    ],
)
def test_claim_4_compares_tails_seed_by_seed(
    several: Path, scratch: list[list[float]], verdict: str
) -> None:
    for seed, tail in zip(SEEDS, scratch, strict=True):
        write_curve(several, "dw", seed, [90, 40, 24, 25 + seed / 100])
        write_curve(several, "scratch", seed, [80, 120, *tail])
    claim = judged(several)[3]
    assert claim.verdict == verdict
    assert ["tail spread, TinyGAN-dw", "smooth (Fig. 8)", "1.01", "–", "–"] in claim.rows


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_learning_curve_of_few_points_is_drawn_but_not_judged(several: Path, points: int) -> None:
    for variant in ("dw", "scratch"):
        for seed in SEEDS:
            write_curve(several, variant, seed, [90, 40, 24][:points])
    call("fig8", several)
    claim = judged(several)[3]
    assert claim.verdict == UNDECIDED
    assert claim.reason == "needs at least 4 points of each learning curve: set train.snapshots"
    assert claim.rows[1] == [
        "last FID, TinyGAN-dw",
        "–",
        f"{[90, 40, 24][points - 1]}.00",
        "–",
        "–",
    ]


def test_tail_spread_is_that_of_the_second_half() -> None:
    assert measures.tail_spread(np.array([90.0, 5.0, 8.0, 6.0])) == 2.0
    assert measures.tail_spread(np.array([90.0, 50.0, 8.0, 6.0, 5.0])) == 3.0
    with pytest.raises(ValueError, match="train.snapshots"):
        measures.tail_spread(np.array([1.0]))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([10, 20, 30, 40, 50, 60], HOLDS),
        ([60, 50, 40, 30, 20, 10], FAILS),
        ([30, 60, 10, 50, 20, 40], UNDECIDED),
    ],
)
def test_claim_5_is_decided_by_the_bootstrap(results: Path, values: list, verdict: str) -> None:
    path = results / "intra_fid" / "std.csv"
    table = pd.read_csv(path)
    table.assign(intra_fid=np.array(values) + 0.5).to_csv(path, index=False)
    claim = judged(results)[4]
    assert claim.verdict == verdict
    teacher = pd.read_csv(results / "intra_fid" / "teacher.csv").intra_fid
    r, low, high = measures.bootstrap_correlation(
        teacher, np.array(values), stream(7, "analysis/bootstrap")
    )
    assert claim.rows[1] == ["TinyGAN-std", "0.64", f"{r:.2f}", f"{low:.2f} to {high:.2f}"]


def test_claim_5_averages_scores_over_seeds(several: Path) -> None:
    """The seeds' deviations cancel: each seed alone would leave r open."""
    teacher = pd.read_csv(several / "intra_fid" / "teacher.csv")
    away = np.array([50, -50, 40, -40, 30, -30])
    for seed, factor in zip(SEEDS, (1, -1, 0), strict=True):
        path = several / "intra_fid" / f"{reading.file_name('dw', seed)}.csv"
        table = teacher.assign(intra_fid=teacher.intra_fid + factor * away)
        table.to_csv(path, index=False)
    assert judged(several)[4].rows[0][2:] == ["1.00", "1.00 to 1.00"]


Z, Y = {"z": [1.5, 1.6, 1.4]}, {"y": [2.0, 2.1, 1.9]}
TEACHER = Z | Y


@pytest.mark.parametrize(
    ("student", "verdict", "reason"),
    [
        (TEACHER, HOLDS, "no larger jumps"),
        ({"z": [3, 3.1, 2.9]} | Y, FAILS, "the interval of z is above zero"),
        (Z | {"y": [4, 4.1, 3.9]}, FAILS, "the interval of y is above zero"),
        ({"z": [1.5, 1.6, 4]} | Y, UNDECIDED, "the interval of z contains zero"),
        ({"z": [1, 1, 1]}, UNDECIDED, "no interpolation of TinyGAN-dw"),
    ],
)
def test_claim_6_compares_the_largest_steps(
    results: Path, student: dict, verdict: str, reason: str
) -> None:
    write_steps(results, teacher=TEACHER, dw=student)
    claim = judged(results)[5]
    assert (claim.verdict, claim.reason) == (verdict, reason)
    assert claim.rows[0][2:4] == [f"{np.mean(student['z']):.2f}", "1.50"]


def test_claim_6_shows_the_excess_and_its_interval(results: Path) -> None:
    write_steps(results, teacher={"z": [1, 2], "y": [1, 1]}, dw={"z": [2, 2], "y": [1, 1]})
    # Excess 0.75 and -0.5, so the mean is 0.125 and half the interval t(1) * 0.625 = 7.94.
    assert judged(results)[5].rows == [
        ["z changes, class fixed", "no jumps (Fig. 10)", "2.00", "1.50", "+0.12", "−7.82 to +8.07"],
        ["class changes, z fixed", "no jumps (Fig. 10)", "1.00", "1.00", "−0.25", "−0.25 to −0.25"],
    ]


def test_claim_6_needs_a_teacher_that_can_be_interpolated(results: Path) -> None:
    write_steps(results, dw=TEACHER)
    claim = judged(results)[5]
    assert claim.verdict == UNDECIDED and claim.reason == "the teacher cannot be interpolated"
    assert claim.rows[0][2:] == ["1.50", "–", "–", "–"]
    write_steps(results, teacher={"z": [1.0], "y": [1.0]}, dw={"z": [1.0], "y": [1.0]})
    assert judged(results)[5].reason == "one path"


def test_claim_6_is_of_the_first_seed(results: Path) -> None:
    write_steps(results, teacher=TEACHER, dw=TEACHER)
    table = pd.read_csv(results / "interpolation.csv")
    later = table[table.source == "dw"].assign(seed=1, largest=99.0)
    pd.concat([table, later]).to_csv(results / "interpolation.csv", index=False)
    assert judged(results)[5].verdict == HOLDS
    table.assign(mean=0.0).to_csv(results / "interpolation.csv", index=False)
    with pytest.raises(ValueError, match="interpolation.csv: a mean step is not above zero"):
        judged(results)
    table[1:].to_csv(results / "interpolation.csv", index=False)
    with pytest.raises(ValueError, match="different paths of kind z"):
        judged(results)


def test_all_files_say_the_same(several: Path) -> None:
    move(several, "std", "fid", 9, 9, 9)
    claims = judged(several)
    assert sorted(p.suffix for p in several.glob("claims.*")) == [".html", ".json", ".md"]
    stored = json.loads((several / "claims.json").read_text())
    assert stored["preset"] == "mini" and stored["seeds"] == [0, 1, 2]
    keys = ["number", "title", "check", "verdict", "reason", "header", "rows", "note"]
    text, page = ((several / f"claims{end}").read_text() for end in (".md", ".html"))
    for claim, entry in zip(claims, stored["claims"], strict=True):
        assert list(entry) == keys and entry["rows"] == claim.rows
        assert all(len(row) == len(claim.header) for row in claim.rows)
        line = f"| {claim.number}. {claim.title} | {claim.verdict} | {claim.reason} |"
        assert line in text and f"**This run: {claim.verdict}** ({claim.reason})." in text
        assert f"<h2>{claim.number}. {claim.title[:20]}" in page
    assert "nan" not in text and [c.number for c in claims] == [1, 2, 3, 4, 5, 6]


def test_the_script_needs_no_interpolation(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "scores": (results / "scores").glob("*.json"),
        "intra": (results / "intra_fid").glob("*.csv"),
        "curves": (results / "scores" / "curve").glob("*.csv"),
        "cost": [results / "cost.csv"],
        "cost_paper": [results / "cost_paper.csv"],
    }
    words = [word for name, paths in files.items() for word in (f"--{name}", *map(str, paths))]
    words += ["--config", str(results / "config.yaml"), "--out", str(results / "claims")]
    monkeypatch.setattr(sys, "argv", ["claims.py", *words])
    claims = importlib.import_module("claims")
    importlib.import_module("script").main(
        claims.claims, "", **dict.fromkeys([*files, "interpolation"], "x")
    )
    assert (results / "claims.json").is_file()
