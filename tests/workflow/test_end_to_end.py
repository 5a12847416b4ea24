"""The smoke preset end to end: Snakemake from a clean checkout, then DVC in a clone of it."""

import csv
import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import browser
from helpers.html_page import parse
from helpers.paths import BIN, ROOT
from helpers.repositories import commit, make_repository, run, s3_server
from helpers.run_results import shown_tiles
from huggingface_hub import ModelCard
from PIL import Image

from tinygan.data.shards import open_shard
from tinygan.files import read_json, sha256
from tinygan.models.flops import count_parameters
from tinygan.models.io import load_generator, read_card
from tinygan.provenance.software import code_hashes

pytestmark = pytest.mark.slow

# --configfile takes every word up to the next option, so the targets come after --.
SMOKE = ["--cores", "2", "--configfile", "config/smoke.yaml", "--"]
RANGES = ["000-004", "005-009"]
VARIANTS = ["dw", "std", "std_half", "scratch", "no_feat", "no_gan", "no_kd_adv", "pix_only"]


def call(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )
    if done.returncode:
        logs = [p for p in (folder / "results").glob("*/logs/**/*.log") if p.stat().st_size]
        newest = max(logs, key=lambda p: p.stat().st_mtime, default=None)
        tail = newest.read_text()[-3000:] if newest else ""
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-6000:]}\n{newest}\n{tail}")
    return done.stdout


def copy_sources(top: Path) -> None:
    """Copy the files that git tracks or would track, and no results."""
    listed = call(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, top / name, follow_symlinks=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the results of target `all` of the smoke preset."""
    top = tmp_path_factory.mktemp("checkout")
    copy_sources(top)
    call(top, "snakemake", *SMOKE, "all")
    return top


@pytest.fixture(scope="module")
def results(checkout: Path) -> Path:
    return checkout / "results" / "smoke"


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_every_score_is_finite_and_is_the_mean_of_its_classes(results: Path) -> None:
    for source in ["real", "teacher", *VARIANTS]:
        score = json.loads((results / "scores" / f"{source}.json").read_text())
        assert score["source"] == source and score["extractor"] == "efficientnet_lite0"
        for key in ("inception_score", "inception_score_std", "fid", "intra_fid", "intra_fid_std"):
            assert math.isfinite(score[key]), (source, key)
        assert score["inception_score"] >= 1 and score["fid"] > 0
        assert score["samples"] == 200
        classes = rows(results / "intra_fid" / f"{source}.csv")
        assert [int(row["class"]) for row in classes] == list(range(10))
        assert [row["name"] for row in classes][:2] == ["bear", "bird"]
        mean = sum(float(row["intra_fid"]) for row in classes) / 10
        assert mean == pytest.approx(score["intra_fid"], rel=1e-5)


def test_real_images_score_better_than_an_untrained_student(results: Path) -> None:
    fid = {
        source: json.loads((results / "scores" / f"{source}.json").read_text())["fid"]
        for source in ("real", "teacher", "dw")
    }
    assert fid["real"] < fid["teacher"] < fid["dw"]


@pytest.mark.parametrize(("name", "count"), [("table1", 7), ("table2", 5)])
def test_a_table_has_this_runs_numbers_and_the_papers(results: Path, name: str, count: int) -> None:
    table = rows(results / "tables" / f"{name}.csv")
    assert len(table) == count
    paper = [column for column in table[0] if column.startswith("paper_")]
    assert {"paper_fid", "paper_intra_fid"} <= set(paper)
    numbers = [row[key] for row in table for key in row if key in ("fid", "intra_fid") and row[key]]
    assert len(numbers) == 2 * 5 and all(math.isfinite(float(number)) for number in numbers)
    markdown = (results / "tables" / f"{name}.md").read_text()
    assert "24.2" in markdown and "efficientnet_lite0" in markdown
    assert r"\begin{tabular}" in (results / "tables" / f"{name}.tex").read_text()


@pytest.mark.parametrize(("name", "inches"), [("fig8", (3.3, 2.6)), ("fig9", (6.9, 3.5))])
def test_a_diagram_has_its_size(results: Path, name: str, inches: tuple[float, float]) -> None:
    with Image.open(results / "figures" / f"{name}.png") as image:
        assert image.size == tuple(int(216 * side) for side in inches)
    page = (results / "figures" / f"{name}.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", page)
    assert [float(side) for side in box.groups()] == pytest.approx([72 * side for side in inches])


@pytest.mark.parametrize(("name", "rows", "columns"), [("fig1", 8, 10), ("fig3", 2, 10)])
def test_a_grid_shows_the_teachers_images_above_the_students(
    results: Path, name: str, rows: int, columns: int
) -> None:
    tiles = shown_tiles(results / "figures" / f"{name}.png", rows, columns)
    shards = [open_shard(results / "previews" / "teacher" / part) for part in RANGES]
    for label in range(columns):
        shard = shards[label // 5]
        images = shard.images[shard.labels == label][: rows // 2]
        expected = images.repeat(4, axis=1).repeat(4, axis=2)
        np.testing.assert_array_equal(tiles[::2, label], expected)
        assert not np.array_equal(tiles[1::2, label], expected)


def test_the_grid_of_the_worst_classes_has_five_columns(results: Path) -> None:
    assert shown_tiles(results / "figures" / "fig11.png", 2, 5).shape[:2] == (2, 5)


def test_the_interpolations_of_teacher_and_student_are_measured(results: Path) -> None:
    table = rows(results / "interpolation.csv")
    paths = {(row["source"], row["seed"], row["kind"], int(row["path"])) for row in table}
    assert len(table) == 80 and paths == {
        (source, "0", kind, path)
        for source in ("teacher", "dw")
        for kind in ("y", "z")
        for path in range(20)
    }
    for row in table:
        assert float(row["largest"]) >= float(row["mean"]) > 0
    log = (results / "logs" / "fig10.log").read_text()
    assert log == "", "the teacher of this preset can be interpolated"


def test_pairs_and_curves_have_their_sizes(results: Path) -> None:
    for name, first in (("000-004", 0), ("005-009", 5)):
        manifest = json.loads(
            (results / "images" / "teacher_pairs" / name / "manifest.json").read_text()
        )
        assert manifest["classes"] == {str(c): 20 for c in range(first, first + 5)}
        assert manifest["arrays"]["z"]["shape"] == [100, 128]
        assert manifest["arrays"]["images"]["shape"] == [100, 32, 32, 3]
    for variant in ("dw", "scratch"):
        curve = rows(results / "scores" / "curve" / f"{variant}.csv")
        assert [int(row["step"]) for row in curve] == [10, 20]
        assert all(math.isfinite(float(row["fid"])) for row in curve)


def test_every_claim_is_judged_in_its_section_and_in_the_summary(results: Path) -> None:
    text = (results / "claims.md").read_text()
    verdicts = re.findall(r"^\*\*This run: (.*)\*\* \((.*)\)\.$", text, re.MULTILINE)
    summary = re.findall(r"^\| \d\. .* \| (.*) \| (.*) \|$", text, re.MULTILINE)
    claims = json.loads((results / "claims.json").read_text())
    stored = [(claim["verdict"], claim["reason"]) for claim in claims["claims"]]
    assert verdicts == summary == stored and claims["seeds"] == [0]
    # The cost is that of the paper's sizes; one seed decides no score; two points are no curve.
    assert verdicts[:3] == [("holds", "all 6 fractions agree"), *[("undecided", "one seed")] * 2]
    assert verdicts[3][0] == "undecided" and verdicts[3][1].startswith("needs at least 4 points")
    assert {verdict for verdict, _ in verdicts[4:]} <= {"holds", "does not hold", "undecided"}


def test_temporary_samples_and_features_are_deleted(results: Path) -> None:
    extracted = {path.parent.name for path in results.glob("features/**/*.npz")}
    assert extracted == {"real", "teacher", "teacher_pairs"}
    arrays = {path.parent.parent.name for path in results.glob("images/**/*.npy")}
    assert arrays == {"real", "teacher_pairs"}
    assert not list(results.glob("interpolation/**/*.npy"))
    for variant in VARIANTS:
        model = results / "models" / variant
        assert count_parameters(load_generator(model)) == read_card(model)["parameters"]


def test_every_student_has_a_model_card_and_can_be_released(checkout: Path, results: Path) -> None:
    for variant in VARIANTS:
        data = ModelCard.load(results / "cards" / f"{variant}.md").data
        scores = read_json(results / "scores" / f"{variant}.json")
        assert data.model_name == f"tinygan-{variant}-smoke" and len(data.eval_results) == 8
        for result in data.eval_results:
            assert result.metric_value == scores[result.metric_type]
    words = ["release", str(results / "models" / "pix_only"), "--out", "released"]
    said = call(checkout, str(BIN / "python"), "-m", "tinygan", *words)
    assert said.endswith("scores from results/smoke/cards/pix_only.json\n")
    assert count_parameters(load_generator(checkout / "released")) > 0


def test_a_second_run_has_nothing_to_do(checkout: Path) -> None:
    assert "Nothing to be done" in call(checkout, "snakemake", *SMOKE, "all")


def test_the_record_of_the_run_has_its_jobs_and_results(results: Path) -> None:
    record = json.loads((results / "provenance.json").read_text())
    # No git repository here; the code is the same.
    assert record["code"]["commit"] is None and record["preset"] == "smoke"
    assert record["code"]["sha256"] == code_hashes(ROOT)
    assert record["software"]["packages"]["this"]["torch"].startswith("2.13.0")
    jobs = record["jobs"]
    assert {rule: row["jobs"] for rule, row in jobs.items() if row["jobs"] > 1} == {
        **{"harvest": 2, "harvest_evaluation": 2, "features": 6, "train": 8, "sample": 16},
        **{"score": 10, "curve": 2, "model_card": 8},
    }
    assert jobs["train"]["seconds"] > 1 and jobs["train"]["peak_mb"] > 50
    assert "provenance" not in jobs and {"real", "cost", "table1", "fig9", "claims"} <= set(jobs)
    listed = {name.split("/")[0] for name in record["files"]}
    assert listed == {
        *("tables", "figures", "scores", "intra_fid", "models", "cards"),
        *("claims.md", "claims.html", "claims.json", "cost.csv"),
        "interpolation.csv",
    }
    for name, digest in record["files"].items():
        assert sha256(results / name) == digest


def test_a_table_that_is_made_again_renews_the_record_and_the_report_alone(
    checkout: Path, results: Path
) -> None:
    table = results / "tables" / "table2.csv"
    away = table.rename(results / "away.csv")
    planned = call(checkout, "snakemake", "-n", *SMOKE, "all")
    away.rename(table)
    assert set(re.findall(r"^Job \d+: rule (\w+)", planned, re.MULTILINE)) == {
        *("table2", "provenance", "report_page", "all")
    }


def test_the_report_has_the_claims_and_all_artefacts(results: Path) -> None:
    page = parse((results / "report.html").read_text())
    verdicts = [claim["verdict"] for claim in read_json(results / "claims.json")["claims"]]
    shown = [
        card.all("span")[0].text[2:] for card in page.one("section", id="claims").all("article")
    ]
    assert shown == verdicts and len(verdicts) >= 5
    for section, tag, folder, suffix in (
        ("tables", "article", "tables", ".md"),
        ("figures", "figure", "figures", ".png"),
    ):
        listed = [node.attributes["id"] for node in page.one("section", id=section).all(tag)]
        assert sorted(listed) == sorted(path.stem for path in results.glob(f"{folder}/*{suffix}"))
    jobs = page.one("section", id="cost").all("table")[1].rows
    assert {row[0] for row in jobs[1:]} == read_json(results / "provenance.json")["jobs"].keys()
    for link in page.all("a"):
        name = link.attributes["href"]
        assert name.startswith(("#", "snakemake_report")) or (results / name).is_file()


def test_snakemakes_report_is_written(checkout: Path, results: Path) -> None:
    call(checkout, "snakemake", "--report", "results/smoke/snakemake_report.html", *SMOKE, "all")
    page = (results / "snakemake_report.html").read_text()
    assert "Table 1" in page and "Figure 11" in page
    record = json.loads((results / "provenance.json").read_text())
    for text in ("Time and memory by rule", record["teacher"]["fingerprint"][:16]):
        assert text in page


@pytest.mark.skipif(not browser.CHROMIUM, reason="Debian's package chromium is not installed")
@pytest.mark.parametrize("size", [browser.PHONE, browser.DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(("category", "count"), [("Claims", 1), ("Tables", 12), ("Figures", 14)])
def test_snakemakes_report_opens_in_a_browser(
    results: Path, tmp_path: Path, size: tuple[int, int], category: str, count: int
) -> None:
    report = results / "snakemake_report.html"
    assert sorted(browser.categories(report)) == ["Claims", "Figures", "Provenance", "Tables"]
    seen = browser.visit(report, tmp_path, size, category)
    assert not seen["errors"]
    assert "which of the paper's claims hold on this run" in seen["overview"]
    assert "Time and memory by rule" in seen["overview"]
    assert len(seen["results"]) == count
    for label, shown in seen["results"].items():
        kind = "text/html" if category != "Figures" else "image/png"
        if not label.endswith((")",)) and (kind == "text/html" or size == browser.DESKTOP):
            assert any(kind in source for source in shown), label


def test_one_variant_alone_is_scored_again_to_the_same_bytes(checkout: Path, results: Path) -> None:
    path = results / "scores" / "no_feat.json"
    before = path.read_bytes()
    path.unlink()
    output = call(checkout, "snakemake", *SMOKE, "no_feat")
    ran = set(re.findall(r"^Job \d+: rule (\w+)", output, re.MULTILINE))
    assert ran == {"sample", "score", "no_feat"}
    assert path.read_bytes() == before


def test_training_twice_gives_the_same_bytes(checkout: Path, results: Path) -> None:
    config, images = "results/smoke/config.yaml", Path("results/smoke/images")
    command = [str(BIN / "python"), "-m", "tinygan", "train", "--config", config]
    command += ["--variant", "std_half", "--out", "again"]
    for option, source in (("--pairs", "teacher_pairs"), ("--real", "real")):
        command += [option, *(str(images / source / r / "manifest.json") for r in RANGES)]
    call(checkout, *command)
    first = results / "models" / "std_half" / "generator.safetensors"
    assert (checkout / "again" / "generator.safetensors").read_bytes() == first.read_bytes()


@pytest.fixture(scope="module")
def clone(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which DVC has reproduced the run of Snakemake."""
    source, clone = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("clones") / "clone"
    copy_sources(source)
    # DVC describes config.yaml: the smoke preset's sizes under mini's name.
    merged = yaml.safe_load((results / "config.yaml").read_text()) | {"preset": "mini"}
    (source / "config.yaml").write_text(yaml.safe_dump(merged, sort_keys=False))
    make_repository(source)
    call(source.parent, "git", "clone", "-q", str(source), str(clone))
    call(clone, "dvc", "repro")
    return clone


def test_dvc_reproduces_what_snakemake_made(clone: Path, results: Path) -> None:
    compared = sorted(results.glob("scores/**/*.*")) + sorted(results.glob("intra_fid/*.csv"))
    compared += [results / "cost.csv", results / "interpolation.csv"]
    compared += sorted(results.glob("tables/*.csv"))
    # Ten sources and two curves, their classes, cost and interpolations, and five tables.
    assert len(compared) == (10 + 2) + 10 + 2 + 5
    for path in compared:
        other = clone / "results" / "mini" / path.relative_to(results)
        # The tables name the preset, which is all that may differ.
        expected = path.read_bytes().replace(b",smoke,", b",mini,")
        assert other.read_bytes() == expected, path.name
    assert "up to date" in call(clone, "dvc", "status")
    assert "Nothing to be done" in call(clone, "snakemake", "-n", "all")


def test_dvc_shows_metrics_and_plots(clone: Path) -> None:
    metrics = json.loads(call(clone, "dvc", "metrics", "show", "--json"))
    shown = {Path(path).stem: file["data"] for path, file in metrics[""]["data"].items()}
    assert set(shown) == {"real", "teacher", *VARIANTS}
    assert set(shown["dw"]) == {"fid", "intra_fid", "is", "kid"}
    table = call(clone, "dvc", "metrics", "show").splitlines()
    assert len(table) == 1 + len(shown) and max(map(len, table)) <= 80
    call(clone, "dvc", "plots", "show")
    page = (clone / "dvc_plots" / "index.html").read_text()
    specs = map(json.loads, re.findall(r"var spec = (\{.*\});$", page, re.MULTILINE))
    plots = {spec["title"]["text"]: spec["data"]["values"] for spec in specs}
    curves = [(row["filename"], row["step"]) for row in plots.pop("Learning curves")]
    assert curves == [(f"{name}.csv", step) for name in ("dw", "scratch") for step in ("10", "20")]
    points = plots.pop("Intra-FID of each class")
    folder = clone / "results" / "mini"
    for name in ("teacher", "dw", "std"):
        shown = [(p["class"], p["intra_fid"]) for p in points if p["filename"] == f"{name}.csv"]
        scored = rows(folder / "intra_fid" / f"{name}.csv")
        assert shown == [(row["class"], row["intra_fid"]) for row in scored]
    (losses,) = plots.values()
    terms = [key for key in rows(folder / "models/dw/log.csv")[0] if key.startswith("loss_")]
    assert {row["field"] for row in losses} == set(terms) and len(terms) == 6
    assert all(row["dvc_inferred_y_value"] == row[row["field"]] for row in losses)
    assert "Nothing to be done" in call(clone, "snakemake", "-n", "all")
    record = json.loads((folder / "provenance.json").read_text())
    assert record["code"]["clean"] is True  # `dvc.lock` is a result
    assert record["code"]["commit"] == call(clone, "git", "rev-parse", "HEAD").strip()
    stored = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]["provenance"]["outs"]
    assert {out["path"].removeprefix("results/mini/") for out in stored} == {
        *(".snakemake/metadata", "benchmarks", "provenance.json", "provenance.rst", "report.html")
    }


def test_after_push_clone_and_pull_nothing_is_left_to_do(clone: Path, tmp_path: Path) -> None:
    with s3_server("tinygan") as (url, keys):
        run(clone, "dvc", "remote", "add", "-d", "storage", "s3://tinygan/runs")
        run(clone, "dvc", "remote", "modify", "storage", "endpointurl", url)
        commit(clone, "A run and its remote")
        assert re.search(r"\d{3} files pushed", run(clone, "dvc", "push", env=keys))
        run(tmp_path, "git", "clone", "-q", str(clone), "other")
        other = tmp_path / "other"
        run(other, "dvc", "pull", env=keys)
    assert "Nothing to be done" in run(other, "snakemake", "-n", "all")
    assert "Data and pipelines are up to date." in run(other, "dvc", "repro")
    for path in (clone / "results" / "mini" / "models").rglob("*.*"):
        assert (other / path.relative_to(clone)).read_bytes() == path.read_bytes()


def test_dvc_takes_existing_results_and_retrains_what_changed(clone: Path) -> None:
    # Without its lock file DVC takes the existing results, and trains nothing again.
    (clone / "dvc.lock").unlink()
    reproduced = clone / "results" / "mini"
    models = sorted((reproduced / "models").rglob("*.*"))
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in models]
    logs = set((clone / ".snakemake" / "log").iterdir())
    call(clone, "dvc", "repro")
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in models] == before
    for log in set((clone / ".snakemake" / "log").iterdir()) - logs:
        assert "jobid:" not in log.read_text()

    # A deleted score is computed again from its model; a changed loss weight retrains one variant.
    (reproduced / "scores" / "no_gan.json").unlink()
    call(clone, "dvc", "repro")
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in models] == before
    changed = yaml.safe_load((clone / "config.yaml").read_text())
    changed["variants"]["no_gan"]["loss"]["pixel"] = 0.3
    (clone / "config.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    planned = call(clone, "snakemake", "-n", "all")
    assert set(re.findall(r": rule (train_\w+)", planned)) == {"train_no_gan"}
