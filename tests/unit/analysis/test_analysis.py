"""The tables, figures and claims, drawn from a small synthetic tree of results."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers.paths import ROOT
from helpers.run_results import (
    CLASSES,
    FID,
    call,
    manifests,
    reading,
    set_score,
    shown_tiles,
)

from tinygan.data.shards import write_shard

grids, measures = (importlib.import_module(name) for name in ("grids", "measures"))


def pairs(results: Path, student: str, *options) -> np.ndarray:
    return grids.pairs(manifests(results, "teacher"), manifests(results, student), *options)


def intra(results: Path) -> list[Path]:
    return sorted((results / "intra_fid").iterdir())


def test_table1_puts_this_run_beside_the_paper(results):
    call("table1", results)
    table = pd.read_csv(results / "out" / "table1.csv").set_index("source")
    order = ["sngan", "sagan", "teacher", "std", "std_half", "dw", "real"]
    assert table.index.to_list() == order
    assert table.fid["dw"] == 23.3 and table.paper_fid["dw"] == 24.2
    assert table.intra_fid["teacher"] == 29.0 and table.paper_intra_fid["teacher"] == 55.6
    assert table.parameters_generator["dw"] == 3070659
    assert table.kid["dw"] == 0.1 and table.coverage_high["dw"] == 1.1
    assert (table.fid_low["dw"], table.fid_high["dw"]) == (22.8, 23.8)
    assert table.paper_macs["std_half"] == 0.58e9
    assert table.loc["sagan", ["fid", "paper_fid", "extractor"]].isna().all()
    assert np.isnan(table.paper_fid["real"]) and table.fid["real"] == 2.0
    assert set(table.extractor.dropna()) == {"efficientnet_lite0"}
    text = (results / "out" / "table1.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {16} and len(lines) == 9
    row = next(line for line in lines if line.startswith("| TinyGAN-dw "))
    assert row == (
        "| TinyGAN-dw | 32 | 6.4 M | 3.1 M | 0.43 B | 5.25 ± 0.00 | 23.30 ± 0.50 | 46.60 ± 0.50 "
        "| 32 | 6.4 M | 3.1 M | 0.44 B | 79.19 ± 1.6 | 24.2 | 79.1 |"
    )
    for fact in ("efficientnet_lite0, 64 px", "1,200 samples", "6,000 real", "mini", "seed 7"):
        assert fact in text
    assert "not comparable in absolute value" in text
    for source in FID:
        set_score(results, source, overall_samples=500)
    call("table1", results)
    text = (results / "out" / "table1.md").read_text()
    assert "1,200 samples (500 of them for IS and FID) against 6,000 real" in text


def test_table1_has_a_row_for_each_source_from_outside(results):
    config = yaml.safe_load((results / "config.yaml").read_text())
    config["sources"] = {"sngan": "somewhere", "mine": "elsewhere"}
    (results / "config.yaml").write_text(yaml.safe_dump(config))
    dw = json.loads((results / "scores" / "dw.json").read_text())
    for source, fid in (("sngan", 70.5), ("mine", 12.25)):
        path = results / "scores" / f"{source}.json"
        path.write_text(json.dumps(dw | {"source": source, "fid": fid}))
    frame = call("table1", results).set_index("source")
    order = ["sngan", "sagan", "teacher", "std", "std_half", "dw", "mine", "real"]
    assert frame.index.to_list() == order
    assert frame.fid["mine"] == 12.25 and np.isnan(frame.paper_fid["mine"])
    assert frame.fid["sngan"] == 70.5 and frame.paper_fid["sngan"] == 29.0
    assert frame.model["sngan"] == "SNGAN-proj" and np.isnan(frame.fid["sagan"])
    assert "From outside this pipeline: mine, sngan." in (results / "out/table1.md").read_text()
    (results / "scores" / "mine.json").unlink()
    with pytest.raises(FileNotFoundError, match="snakemake .*mine.json"):
        call("table1", results)


def test_table2_gives_ratios_to_the_full_objective(results):
    frame = call("table2", results).set_index("source")
    assert frame.index.to_list() == ["dw", "no_feat", "no_gan", "no_kd_adv", "pix_only"]
    assert frame.fid_ratio["pix_only"] == pytest.approx(88.0 / 23.3, abs=1e-12)
    assert frame.paper_intra_fid_ratio["no_feat"] == pytest.approx(149.2 / 79.1, abs=1e-12)
    text = (results / "out" / "table2.md").read_text()
    assert (
        "| − L_GAN | 25.00 ± 0.50 | 1.07 | 50.00 ± 0.50 | 1.07 | 28.8 | 1.19 | 89.9 | 1.14 |"
        in text
    )


@pytest.mark.parametrize(("name", "columns"), [("table1", 15), ("table2", 9)])
def test_latex_is_balanced(results, name, columns):
    call(name, results)
    text = (results / "out" / f"{name}.tex").read_text()
    assert text.isascii()
    assert text.count("{") == text.count("}")
    assert text.replace(r"\$", "").count("$") % 2 == 0
    for environment in ("table*", "tabular"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}") == 1
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert all(line.endswith(r"\\") and line.count(" & ") == columns - 1 for line in body)
    for part in (r"\toprule", r"\multicolumn", r"\cmidrule", r"efficientnet\_lite0"):
        assert part in text


def test_quantities_are_written_as_in_the_paper():
    quantity = importlib.import_module("table1").quantity
    assert quantity(3070659, 1e6) == "3.1 M" and quantity(434e6, 1e9) == "0.43 B"
    assert quantity(72.0e6, 1e6) == "72.0 M" and quantity(300.9e6, 1e6) == "300.9 M"
    assert quantity(301_000, 1e6) == "301 k" and quantity(5.1e6, 1e9) == "5.1 M"
    assert quantity(None, 1e6) == quantity(float("nan"), 1e9) == "–"


def test_scores_of_different_extractors_are_refused(results):
    set_score(results, "std", extractor="inception_tf")
    with pytest.raises(ValueError, match="different extractors"):
        call("table1", results)
    set_score(results, "std", extractor="efficientnet_lite0", input_size=96)
    with pytest.raises(ValueError, match="different extractors"):
        call("claims", results)


def test_missing_and_bad_files_are_named(results):
    set_score(results, "no_gan", fid=float("nan"))
    with pytest.raises(ValueError, match=r"no_gan.json has no \(finite\) fid"):
        call("table2", results)
    (results / "scores" / "pix_only.json").unlink()
    (results / "scores" / "no_gan.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"snakemake --cores 2 .*scores/no_gan.json"):
        call("table2", results)
    assert not (results / "out").exists()
    curve = results / "scores" / "curve" / "scratch.csv"
    curve.write_text("step,fid\n10,3.0\n20,\n")
    with pytest.raises(ValueError, match="scratch.csv, line 3: fid"):
        call("fig8", results)
    (results / "intra_fid" / "std.csv").write_text("class,name,intra_fid\n0,bear,inf\n")
    with pytest.raises(ValueError, match="std.csv, line 2: intra_fid"):
        call("fig9", results)


@pytest.mark.parametrize(
    ("name", "size"),
    [("fig1", (8, 6)), ("fig3", (2, 6)), ("fig11", (6, 3))],
)
def test_grids_show_the_images_themselves(results, name, size):
    """Every tile is found in the PNG, pixel for pixel, at the place of its row and column."""
    call(name, results)
    student = "pix_only" if name == "fig3" else "dw"
    scores = reading.read_intra_fid(intra(results), "dw").intra_fid
    classes = list(scores.nlargest(3).index) if name == "fig11" else list(range(6))
    rows, columns = size
    images = pairs(results, student, classes, rows // 2)
    assert images.shape[:2] == size
    expected = images.repeat(16, axis=2).repeat(16, axis=3)
    np.testing.assert_array_equal(
        shown_tiles(results / "out" / f"{name}.png", rows, columns), expected
    )


def test_pairs_have_the_same_input(results):
    images = pairs(results, "dw", [4], 2)
    for row, source in enumerate(("teacher", "dw")):
        stored = np.load(results / "images" / source / "003-005" / "images.npy")
        assert np.array_equal(images[row::2, 0], stored[5:7])
    labels = np.repeat(np.arange(3), 5)
    blank = np.zeros((15, 8, 8, 3), np.uint8)
    folder = results / "images" / "dw" / "000-002"
    write_shard(folder, blank, labels, np.zeros((15, 4)), source="dw", provenance={})
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [0], 1)
    with pytest.raises(ValueError, match="lack 6 samples"):
        pairs(results, "dw", [4], 6)
    files = [results / "images" / "std" / "003-005" / "manifest.json"]
    with pytest.raises(FileNotFoundError, match="std/003-005/manifest.json is missing"):
        grids.pairs(manifests(results, "teacher"), files, [4], 1)


def test_pairs_find_classes_by_name(results):
    """The student's store in another order than the teacher's shows the same classes."""
    z = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    image = np.repeat(np.arange(6, dtype=np.uint8), 8 * 8 * 3).reshape(6, 8, 8, 3)
    for source, order in (("teacher", [0, 1, 2, 3, 4, 5]), ("dw", [5, 4, 3, 2, 1, 0])):
        for old in (results / "images" / source).iterdir():
            shutil.rmtree(old)
        names = [CLASSES[label] for label in order]
        about = {"source": source, "provenance": {}, "names": names}
        folder = results / "images" / source / "000-005"
        write_shard(folder, image[order], np.arange(6), z[order], **about)
    images = pairs(results, "dw", [1, 4], 1, CLASSES)
    assert images[:, :, 0, 0, 0].tolist() == [[1, 4], [1, 4]]
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [1], 1)
    with pytest.raises(ValueError, match="images/teacher: zebra is not a class"):
        pairs(results, "dw", [1], 1, CLASSES[:5])


def test_intra_fid_is_paired_by_name(results):
    path = results / "intra_fid" / "dw.csv"
    expected = reading.read_intra_pair(intra(results), "dw")
    table = pd.read_csv(path).iloc[::-1].assign(**{"class": range(6)})
    table.to_csv(path, index=False)
    found = reading.read_intra_pair(intra(results), "dw")
    np.testing.assert_array_equal(found[:2], expected[:2])
    assert found[2] == expected[2] == CLASSES
    table.replace("zebra", "horse").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"dw.csv: horse is not a class.*lacks the classes zebra"):
        reading.read_intra_pair(intra(results), "dw")


def test_scores_of_other_classes_stand_in_no_table(results):
    for source in FID:
        set_score(results, source, classes=CLASSES[::-1] if source == "std" else CLASSES)
    call("table1", results)
    set_score(results, "std", classes=CLASSES[:5])
    with pytest.raises(ValueError, match="std.json has 5: bear"):
        call("table1", results)


def test_worst_classes_come_first():
    worst = importlib.import_module("fig11").worst_classes
    assert worst({0: 5.0, 1: 9.0, 2: 7.0, 3: 9.0}) == [1, 3]
    assert worst({0: 1.0}) == [0]
    assert worst({c: float(c) for c in range(398)}) == list(range(397, 387, -1))
    assert grids.spread_classes(6) == [0, 1, 2, 3, 4, 5]
    many = grids.spread_classes(398)
    assert len(set(many)) == 10 and many[0] == 0 and many[-1] == 397


def test_fig9_correlates_classes(results):
    found = call("fig9", results)
    teacher = pd.read_csv(results / "intra_fid" / "teacher.csv").intra_fid
    for student in ("dw", "std"):
        scores = pd.read_csv(results / "intra_fid" / f"{student}.csv").intra_fid
        assert abs(found[student] - np.corrcoef(teacher, scores)[0, 1]) < 1e-12
    with pytest.raises(ValueError, match="differ"):
        measures.pearson(np.ones(4), np.arange(4.0))


def few_classes(results: Path, count: int) -> None:
    """Keep the first classes of the run alone."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    (results / "config.yaml").write_text(yaml.safe_dump(config | {"classes": CLASSES[:count]}))
    for path in (results / "intra_fid").iterdir():
        pd.read_csv(path).head(count).to_csv(path, index=False)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_correlation_of_too_few_classes_is_neither_drawn_nor_judged(results, count, monkeypatch):
    few_classes(results, count)
    figures = []
    fig9 = sys.modules["fig9"]
    monkeypatch.setattr(fig9, "save", lambda figure, out: figures.append(figure))
    assert call("fig9", results) == {"dw": None, "std": None}
    for axes in figures[0].axes:
        assert axes.get_title().endswith(": r needs at least 4 classes")
        assert [line.get_label() for line in axes.lines] == ["identity"]
        assert len(axes.collections[0].get_offsets()) == count
    made = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in made] == [True] * 4 + [None]
    text = (results / "claims.md").read_text()
    assert "| not judged: needs at least 4 classes whose scores differ |" in text
    assert "| TinyGAN-dw | 0.54 | – |" in text and "nan" not in text


def test_a_correlation_of_enough_classes_needs_scores_that_differ(results):
    few_classes(results, 4)
    assert call("fig9", results)["dw"] is not None
    path = results / "intra_fid" / "teacher.csv"
    pd.read_csv(path).assign(intra_fid=50.0).to_csv(path, index=False)
    assert call("fig9", results) == {"dw": None, "std": None}
    assert call("claims", results, results / "claims.md")[4].holds is None


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_learning_curve_of_few_points_is_drawn_and_not_judged(results, points):
    for variant in ("dw", "scratch"):
        path = results / "scores" / "curve" / f"{variant}.csv"
        pd.read_csv(path).head(points).to_csv(path, index=False)
    call("fig8", results)
    made = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in made] == [True] * 3 + [None, True]
    text = (results / "claims.md").read_text()
    assert "not judged: needs at least 4 points of each learning curve: set train.snapshots" in text
    assert f"| smooth (Fig. 8) | – | {[90, 40, 24][points - 1]}.00 |" in text


def test_a_score_without_an_interval_is_shown_alone(results):
    set_score(results, "dw", intra_fid_low=None, intra_fid_high=None)
    frame = call("table1", results).set_index("source")
    assert np.isnan(frame.intra_fid_low["dw"]) and frame.intra_fid_low["std"] == 37.9
    row = next(s for s in (results / "out/table1.md").read_text().splitlines() if "TinyGAN-dw" in s)
    assert "| 23.30 ± 0.50 | 46.60 |" in row
    call("table2", results)
    assert (
        "| TinyGAN-dw (full) | 23.30 ± 0.50 | 1.00 | 46.60 | 1.00 |"
        in (results / "out" / "table2.md").read_text()
    )
    table = pd.read_csv(results / "out" / "table2.csv").set_index("source")
    assert np.isnan(table.intra_fid_low["dw"]) and table.fid_low["dw"] == 22.8
    set_score(results, "dw", intra_fid_low=float("inf"))
    with pytest.raises(ValueError, match=r"dw.json has no \(finite\) intra_fid_low"):
        call("table1", results)


def test_figures_have_as_many_rows_as_there_are_images(results):
    for first in (0, 3):
        labels, z = np.repeat(np.arange(first, first + 3), 2), np.zeros((6, 4), np.float32)
        for source in ("teacher", "dw"):
            folder = results / "images" / source / f"{first:03d}-{first + 2:03d}"
            write_shard(
                folder, np.zeros((6, 8, 8, 3), np.uint8), labels, z, source=source, provenance={}
            )
    stores = [manifests(results, source) for source in ("teacher", "dw")]
    assert grids.row_pairs(*stores, 4) == 2 and grids.row_pairs(*stores, 1) == 1
    for name, rows, columns in (("fig1", 4, 6), ("fig11", 4, 3)):
        call(name, results)
        assert not shown_tiles(results / "out" / f"{name}.png", rows, columns).any()


def test_table1_says_what_the_floor_is_made_of(results):
    set_score(results, "real", samples=1100, real_samples=4900)
    call("table1", results)
    text = (results / "out" / "table1.md").read_text()
    assert "1,200 samples against 6,000 real images" in text
    assert "Real images (split): 1,100 of the real images against the other 4,900" in text


def test_tail_spread_is_that_of_the_second_half():
    assert measures.tail_spread(np.array([90.0, 5.0, 8.0, 6.0])) == 2.0
    assert measures.tail_spread(np.array([90.0, 50.0, 8.0, 6.0, 5.0])) == 3.0
    with pytest.raises(ValueError, match="train.snapshots"):
        measures.tail_spread(np.array([1.0]))


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig8", "fig9", "fig11"])
def test_figures_have_equal_bytes_in_two_runs(results, name):
    for again in ("a", "b"):
        call(name, results, results / again / name)
    for suffix in ("png", "pdf"):
        first, second = ((results / again / f"{name}.{suffix}").read_bytes() for again in "ab")
        assert first == second
        assert first.startswith(b"\x89PNG" if suffix == "png" else b"%PDF-")
    assert b"CreationDate" not in first
    assert sorted(path.name for path in (results / "a").iterdir()) == [f"{name}.pdf", f"{name}.png"]


def test_claims_hold(results):
    made = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in made] == [True] * 5
    text = (results / "claims.md").read_text()
    assert text.count("**This run: holds.**") == 5 and "does not hold" not in text
    assert "| TinyGAN-dw, generator parameters | 6.2 % | 6.1 % |" in text
    assert "| TinyGAN-dw | smooth (Fig. 8) | 0.70 | 23.30 | 23.30 |" in text


def test_a_teacher_whose_cost_is_not_known_leaves_dashes_and_one_claim_open(results):
    cost = results / "cost.csv"
    lines = cost.read_text().splitlines(keepends=True)
    cost.write_text("".join(line for line in lines if not line.startswith("teacher")))
    call("table1", results)
    assert (
        "| Teacher (paper: BigGAN-deep) | – | – | – | – |"
        in (results / "out" / "table1.md").read_text()
    )
    made = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in made] == [None] + [True] * 4
    text = (results / "claims.md").read_text()
    assert f"| 1. {made[0].title} | cannot be told |" in text and "nan" not in text
    assert "| TinyGAN-dw, generator parameters | 6.2 % | – |" in text


@pytest.mark.parametrize(
    ("number", "source", "changes"),
    [
        (2, "std", {"fid": 23.3}),
        (2, "std_half", {"intra_fid": 46.0}),
        (3, "no_gan", {"intra_fid": 46.6}),
        (3, "no_kd_adv", {"fid": 88.0}),
    ],
)
def test_score_claims_fail_on_either_metric(results, number, source, changes):
    set_score(results, source, **changes)
    made = call("claims", results, results / "claims.md")
    assert [i for i, claim in enumerate(made, start=1) if not claim.holds] == [number]
    text = (results / "claims.md").read_text()
    assert f"| {number}. {made[number - 1].title} | does not hold |" in text


def test_cost_curve_and_correlation_claims_fail(results):
    cost = results / "cost.csv"
    cost.write_text(cost.read_text().replace("3070659", "3400000"))
    curve = results / "scores" / "curve" / "dw.csv"
    curve.write_text("step,fid\n10,90\n20,30\n30,24\n40,60\n")
    path = results / "intra_fid" / "dw.csv"
    table = pd.read_csv(path)
    table.assign(intra_fid=200 - table.intra_fid).to_csv(path, index=False)
    made = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in made] == [False, True, True, False, False]


@pytest.mark.slow
def test_a_script_runs_by_hand_from_any_folder(results, tmp_path):
    command = [sys.executable, ROOT / "analysis" / "table2.py", "--config", results / "config.yaml"]
    command += ["--out", results / "tables" / "table2", "--scores"]
    command += sorted((results / "scores").glob("*.json"))
    subprocess.run(command, check=True, cwd=tmp_path)
    assert len(list((results / "tables").iterdir())) == 4
    (results / "scores" / "dw.json").unlink()
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_a_script_reads_only_what_it_is_given_and_shows_how_to_call_it(results):
    program = [sys.executable, ROOT / "analysis" / "fig8.py"]
    command = [*program, "--config", results / "config.yaml", "--out", results / "fig8"]
    curves = [results / "scores" / "curve" / f"{variant}.csv" for variant in ("dw", "scratch")]
    command += ["--curves", *curves, "--scores", results / "scores" / "dw.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "there is no file of scratch among" in done.stderr
    shown = subprocess.run([*program, "--help"], capture_output=True, text=True).stdout
    line = shown.split("example:")[1].replace("\\\n", "").replace("results/mini", str(results))
    bash = line.replace("python analysis", f"{sys.executable} {ROOT}/analysis")
    subprocess.run(["bash", "-c", bash], check=True, cwd=results)
    assert (results / "fig8.pdf").is_file()
