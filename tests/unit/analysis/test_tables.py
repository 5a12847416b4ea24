"""The tables, what their inputs must be, and the scripts called by hand."""

import importlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
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
    reading,
    set_score,
    write_results,
)

grids, measures = (importlib.import_module(name) for name in ("grids", "measures"))


def intra(results: Path) -> list[Path]:
    return sorted((results / "intra_fid").iterdir())


STUDENTS = ["TinyGAN-std", "TinyGAN-std, half ch.", "TinyGAN-dw"]


@dataclass
class Shown:
    """A block of a table in Markdown: its heading and its cells."""

    title: str
    rows: list[list[str]]

    @property
    def names(self) -> list[str]:
        return [row[0] for row in self.rows[2:]]

    def __getitem__(self, name: str) -> list[str]:
        return next(row[1:] for row in self.rows if row[0] == name)


def blocks_of(text: str) -> list[Shown]:
    parts = re.findall(r"^\*\*(.*)\*\*\n\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [
        Shown(title, [row[2:-2].split(" | ") for row in rows.splitlines()]) for title, rows in parts
    ]


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
    cost, quality = blocks_of(text)
    assert cost.title == "Cost" and quality.title.startswith("Scores of this run: one seed (± half")
    assert {len(row) for row in cost.rows} == {9} and {len(row) for row in quality.rows} == {7}
    assert cost.names == ["SNGAN-proj", "SAGAN", "Teacher", *STUDENTS]
    assert quality.names == ["SNGAN-proj", "Teacher", *STUDENTS, "Real images (split)"]
    sizes = ["6.4 M", "3.1 M"]
    assert cost["TinyGAN-dw"] == ["32", *sizes, "0.43 B", "32", *sizes, "0.44 B"]
    run = ["5.25 (± 0.50)", "23.3 (± 0.5)", "46.6 (± 0.5)"]
    assert quality["TinyGAN-dw"] == [*run, "79.19 ± 1.6", "24.2", "79.1"]
    assert quality["SNGAN-proj"] == ["–", "–", "–", "31.4 ± 0.7", "29.0", "84.1"]
    assert table.seeds.dropna().to_dict() == dict.fromkeys(["std", "std_half", "dw"], 1)
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
    fid, intra_fid = blocks_of(text)
    run = ["+1.70", "–", "unknown"]
    assert fid["− L_GAN"] == ["25.0 (± 0.5)", "1.07", *run, "28.8", "1.19"]
    assert intra_fid["− L_GAN"][:3] == ["50.0 (± 0.5)", "1.07", "+3.40"]
    assert fid["TinyGAN-dw (full)"][1:5] == ["1.00", "–", "–", "–"]
    assert intra_fid["L_KD_pix alone"][-2:] == ["216.0", "2.73"]
    assert fid.title.startswith("FID of this run: one seed") and "One seed decides no" in text


@pytest.mark.parametrize(
    ("name", "columns"), [("table1", [9, 7]), ("table2", [8, 8]), ("variance", [5, 5])]
)
def test_latex_is_balanced(results, name, columns):
    call(name, results)
    text = (results / "out" / f"{name}.tex").read_text()
    assert text.isascii()
    assert text.count("{") == text.count("}")
    assert text.replace(r"\$", "").count("$") % 2 == 0
    for environment, count in (("table*", 1), ("tabular", 2)):
        for end in ("begin", "end"):
            assert text.count(rf"\{end}{{{environment}}}") == count
    for width, part in zip(columns, text.split(r"\midrule")[1:], strict=True):
        body = part.split(r"\bottomrule")[0].strip().splitlines()
        assert all(line.endswith(r"\\") and line.count(" & ") == width - 1 for line in body)
    assert [len(rule) for rule in re.findall(r"\\begin{tabular}{(l?r+)}", text)] == columns
    for part in (r"\toprule", r"\caption", r"efficientnet\_lite0"):
        assert part in text
    assert (r"\cmidrule" in text) == (r"\multicolumn" in text) == (name != "variance")


def test_table1_tells_seeds_from_images(tmp_path):
    results = write_results(tmp_path / "results", seeds=[0, 1, 2])
    for seed, fid in enumerate((20.0, 23.0, 29.0)):
        name = reading.file_name("dw", seed)
        set_score(results, name, fid=fid, fid_low=fid - 1 - seed, fid_high=fid + 1 + seed)
    frame = call("table1", results).set_index("source")
    assert frame.fid["dw"] == 24 and frame.seeds["dw"] == 3
    assert frame.fid_sd_seeds["dw"] == pytest.approx(np.std([20, 23, 29], ddof=1))
    assert (frame.fid_low["dw"], frame.fid_high["dw"]) == (22, 26)
    text = (results / "out" / "table1.md").read_text()
    _, quality = blocks_of(text)
    assert quality.title == (
        "Scores of this run: mean ± standard deviation over 3 seeds (± half the 95 % interval over "
        "images)"
    )
    assert quality["TinyGAN-dw"][1] == "24.0 ± 4.6 (± 2.0)"
    assert quality["Teacher"][1] == "14.5 (± 0.5)"
    assert "each student trained 3 times (seeds 0, 1, 2)" in text


def test_table2_gives_paired_differences(tmp_path):
    results = write_results(tmp_path / "results", seeds=[0, 1, 2])
    for seed, (dw, no_gan) in enumerate([(20, 25), (21, 27), (25, 26)]):
        set_score(results, reading.file_name("dw", seed), fid=dw)
        set_score(results, reading.file_name("no_gan", seed), fid=no_gan)
    frame = call("table2", results).set_index("source")
    # By hand: differences 5, 6, 1; mean 4, deviation sqrt(7), t(2) = 4.303.
    row = frame.loc["no_gan"]
    assert row.fid == 26 and row.fid_ratio == pytest.approx(26 / 22)
    assert row.fid_difference == 4 and row.fid_seeds_to_decide == 5 and row.seeds == 3
    ends = [row.fid_difference_low, row.fid_difference_high]
    assert ends == pytest.approx([4 - 6.5724, 4 + 6.5724], abs=1e-3)
    assert frame.loc["dw", ["fid_difference", "fid_seeds_to_decide"]].isna().all()
    fid, _ = blocks_of((results / "out" / "table2.md").read_text())
    shown = ["26.0 ± 1.0 (± 0.5)", "1.18", "+4.00", "−2.57 to +10.57", "5"]
    assert fid["− L_GAN"][:5] == shown


def test_quantities_are_formatted_as_in_the_paper():
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


def test_scores_of_other_classes_are_refused(results):
    for source in FID:
        set_score(results, source, classes=CLASSES[::-1] if source == "std" else CLASSES)
    call("table1", results)
    set_score(results, "std", classes=CLASSES[:5])
    with pytest.raises(ValueError, match="std.json has 5: bear"):
        call("table1", results)


def test_a_score_without_an_interval_is_shown_alone(results):
    set_score(results, "dw", intra_fid_low=None, intra_fid_high=None)
    frame = call("table1", results).set_index("source")
    assert np.isnan(frame.intra_fid_low["dw"]) and frame.intra_fid_low["std"] == 37.9
    _, quality = blocks_of((results / "out/table1.md").read_text())
    assert quality["TinyGAN-dw"][1:3] == ["23.3 (± 0.5)", "46.6"]
    call("table2", results)
    _, intra_fid = blocks_of((results / "out" / "table2.md").read_text())
    assert intra_fid["TinyGAN-dw (full)"][0] == "46.6"
    table = pd.read_csv(results / "out" / "table2.csv").set_index("source")
    assert np.isnan(table.intra_fid_low["dw"]) and table.fid_low["dw"] == 22.8
    set_score(results, "dw", intra_fid_low=float("inf"))
    with pytest.raises(ValueError, match=r"dw.json has no \(finite\) intra_fid_low"):
        call("table1", results)


def test_table1_describes_the_split_of_real_images(results):
    set_score(results, "real", samples=1100, real_samples=4900)
    call("table1", results)
    text = (results / "out" / "table1.md").read_text()
    assert "1,200 samples against 6,000 real images" in text
    assert "Real images (split): 1,100 of the real images against the other 4,900" in text


def test_table1_says_why_the_cost_of_a_python_teacher_is_missing(results):
    note = "The teacher is a Python function, whose cost is unknown."
    call("table1", results)
    assert note not in (results / "out" / "table1.md").read_text()
    lines = (results / "cost.csv").read_text().splitlines(keepends=True)
    (results / "cost.csv").write_text("".join(x for x in lines if not x.startswith("teacher,")))
    call("table1", results)
    text = (results / "out" / "table1.md").read_text()
    assert blocks_of(text)[0]["Teacher"][:4] == ["–"] * 4 and note in text


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


@pytest.mark.slow
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
