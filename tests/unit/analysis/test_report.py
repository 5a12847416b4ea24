"""What the report says: its numbers are those of the run's files, whatever the names."""

import base64
import importlib
import json
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers.html_page import Node, parse
from helpers.paths import ROOT
from helpers.report_inputs import CLAIMS, FIGURES, report_run, write_report_inputs
from helpers.run_results import call

report, story, documents = (importlib.import_module(n) for n in ("report", "story", "documents"))
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "\"quotes' & {{ 7 * 7 }}",
    "long" * 60,
    "猫",
    "a|b",
]
CSS = (ROOT / "analysis" / "templates" / "report.css").read_text()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report_inputs(tmp_path_factory.mktemp("written") / "results")


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    """A finished run with all that the report shows, to change."""
    return shutil.copytree(written, tmp_path / "results")


def page_of(results: Path, **inputs: list[Path]) -> Node:
    return parse(report.report(report_run(results, **inputs)))


def change(results: Path, **changes: object) -> None:
    path = results / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_claims_have_their_verdicts_reasons_and_numbers(run: Path) -> None:
    page = page_of(run)
    assert page.one("h1").text == (
        "1 of the paper's 3 claims holds, 1 does not hold, 1 is undecided"
    )
    summary = page.one("ol").all("li")
    for claim, line in zip(CLAIMS, summary, strict=True):
        card = page.one("article", id=f"claim{claim['number']}")
        shown = [node.all("span")[0].text.split(" ", 1)[1] for node in (line, card)]
        assert shown == [claim["verdict"]] * 2
        assert card.one("table").rows == [claim["header"], *claim["rows"]]
        for key in ("title", "reason", "check", "note"):
            assert claim[key] in card.text


def test_tables_have_the_numbers_of_the_csv(run: Path) -> None:
    page = page_of(run)
    for name, label in (("table1", "TinyGAN-dw"), ("table2", "− L_KD_feat")):
        frame = pd.read_csv(run / "tables" / f"{name}.csv").set_index("model")
        tables = [table.rows[1:] for table in page.one("article", id=name).all("table")]
        assert {row[0] for rows in tables for row in rows} == set(frame.index)
        cells = [cell for rows in tables for row in rows if row[0] == label for cell in row]
        for key in ("fid", "intra_fid"):
            assert f"{frame[key][label]:.1f}" in [cell.split(" ")[0] for cell in cells]
            assert f"{frame['paper_' + key][label]:.1f}" in cells
    links = [link.attributes["href"] for link in page.all("a")]
    assert {"tables/table1.csv", "tables/table2.tex", "figures/fig8.pdf"} <= set(links)
    assert "snakemake_report.html" in links and not any("//" in link for link in links)


def test_figures_are_in_the_papers_order_with_their_captions(run: Path) -> None:
    figures = page_of(run).all("figure")
    assert [figure.attributes["id"] for figure in figures] == list(FIGURES)
    for name, figure in zip(FIGURES, figures, strict=True):
        image = figure.one("img").attributes
        data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        assert data == (run / "figures" / f"{name}.png").read_bytes()
        assert (image["width"], image["height"]) == ("60", str(40 + FIGURES.index(name)))
        number = name.removeprefix("fig")
        assert figure.one("h3").text == f"Figure {number}"
        assert image["alt"].startswith(f"Figure {number} of the paper:")
        caption = (ROOT / "workflow" / "report" / f"{name}.rst").read_text()
        assert figure.one("figcaption").text == " ".join(caption.split())


def test_an_own_figure_and_a_caption_with_settings_come_last(run: Path, tmp_path: Path) -> None:
    text = 'Preset {{ snakemake.config["preset"] }}, *emphasis*. <b>More</b>, e.g. this.'
    (tmp_path / "my_plot.rst").write_text(text)
    image = (run / "figures" / "fig1.png").rename(run / "figures" / "my_plot.png")
    given = report_run(run).inputs
    figure = page_of(
        run,
        figures=[image, *(path for path in given["figures"] if path.stem != "fig1")],
        captions=[*given["captions"], tmp_path / "my_plot.rst"],
    ).all("figure")[-1]
    assert figure.one("h3").text == "My plot" and figure.one("em").text == "emphasis"
    assert figure.one("img").attributes["alt"] == "Preset mini, emphasis."
    assert "<b>More</b>" in figure.text


def test_the_story_is_told_with_the_runs_numbers(run: Path) -> None:
    lines = dict(zip(*[[n.text for n in page_of(run).one("dl", **{"class": "story"}).all(tag)]
                       for tag in ("dt", "dd")], strict=True))  # fmt: skip
    assert lines["Data"] == (
        "Preset mini: 6 classes, 1,200 real images of 32 px from Animal-MNIST."
    )
    assert "50.37 M generator parameters. Its FID is 14.5." in lines["Teacher"]
    assert "6.1 % and 5.2 % of the teacher's" in lines["Student"]
    assert lines["FID"].startswith("Teacher 14.5, TinyGAN-std 19.2, TinyGAN-dw 23.3, ")
    assert lines["Intra-FID"].startswith("Teacher 29.0, TinyGAN-std 38.4, TinyGAN-dw 46.6, ")
    assert "FID of 2.0 and an intra-FID of 4.0" in lines["Floor"]
    assert lines["Ablations"].endswith("from 1.07 (− L_GAN) to 3.78 (L_KD_pix alone).")
    assert lines["Chance"].startswith("One seed:") and "rests on 6 points" in lines["Limits"]
    assert lines["Time"].startswith("All jobs together took 26 min 10 s, of which training 24 min")
    assert "Your own" not in lines and 10 <= len(lines) <= 12


def test_other_runs_have_other_stories(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["train"]["seeds"] = [0, 1, 2]
    config["variants"]["mine"] = {"loss": {"pixel": 9.0}}
    config |= {"sources": {"outside": "x"}, "real": {"source": "image_folder", "path": "x"}}
    record = json.loads((run / "provenance.json").read_text())
    record["machine"]["gpus"] = ["a GPU"]
    scores = pd.read_csv(run / "tables" / "table1.csv").set_index("source")
    scores.loc["teacher", ["parameters_generator", "macs"]] = None  # a Python function
    lines = dict(story.story(config, record, scores, pd.Series({"dw": 1.0})))
    assert lines["Teacher"] == (
        "A black box (resources/mini_teacher), called for 600 images per class. Its FID is 14.5."
    )
    assert lines["Student"].endswith("per image.") and "Ablations" not in lines
    assert lines["Training"].startswith("27 trainings: 9 variants, 3 seeds each;")
    assert lines["FID"].endswith("(lower is better, means over 3 seeds).")
    assert lines["Chance"].startswith("Every variant was trained 3 times.")
    assert lines["Limits"].startswith("The paper's numbers are of ImageNet's animals")
    assert "mine: pixel 9" in lines["Your own"] and "outside" in lines["Your own"]
    assert lines["Time"].endswith("with a GPU.")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds"] * 6, "6 of the paper's 6 claims hold"),
        (["undecided"] * 2, "0 of the paper's 2 claims hold, 2 are undecided"),
        (["does not hold"] * 2 + ["holds"], "1 of the paper's 3 claims holds, 2 do not hold"),
    ],
)
def test_the_headline_counts_the_verdicts(verdicts: list[str], expected: str) -> None:
    assert story.headline([{"verdict": verdict} for verdict in verdicts]) == expected


def test_cost_time_and_provenance(run: Path) -> None:
    page = page_of(run)
    cost, jobs = page.one("section", id="cost").all("table")
    assert ["TinyGAN-dw", "dw", "32", "6.37", "3.07", "434.00"] in cost.rows
    assert ["teacher", "biggan_deep", "–", "–", "50.37", "8,320.00"] in cost.rows
    assert jobs.rows[1:] == [["train", "8", "1,480.5", "94.3 %", "440"],
                             ["score", "10", "89.5", "5.7 %", "–"]]  # fmt: skip
    provenance = page.one("section", id="provenance")
    assert "commit c0ffeec0ffeec0ff, clean" in provenance.text
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert yaml.safe_load("".join(provenance.one("pre").children)) == config
    assert ["tables/table1.csv", "c3" * 32] in provenance.one("table").rows


def test_names_of_any_kind_are_shown_as_text(run: Path) -> None:
    rows = [[name, name, "1.0"] for name in HOSTILE]
    claims = [CLAIMS[0] | {"rows": rows, "title": HOSTILE[0], "note": HOSTILE[1]}]
    (run / "claims.json").write_text(json.dumps({"claims": claims}))
    record = json.loads((run / "provenance.json").read_text())
    record["config"]["classes"] = HOSTILE
    record["teacher"]["handle"] = HOSTILE[0]
    (run / "provenance.json").write_text(json.dumps(record))
    change(run, classes=HOSTILE)
    page = page_of(run)
    assert page.one("article", id="claim1").one("table").rows[1:] == rows
    assert len(page.all("script")) == 1 and "hacked" not in page.one("script").text
    assert not [node for node in page.all() for name in node.attributes if name.startswith("on")]
    for name in HOSTILE[:2]:
        assert name in page.one("section", id="claims").text
    assert yaml.safe_load("".join(page.one("pre").children))["classes"] == HOSTILE


def test_an_own_variant_with_a_hostile_label_is_shown_in_the_tables(run: Path) -> None:
    path = run / "tables" / "table2.md"
    path.write_text(path.read_text().replace("| − L_GAN |", "| \\<img src=x\\> \\| *b* |"))
    page = page_of(run)
    tables = page.one("article", id="table2").all("table")
    assert "<img src=x> | b" in [row[0] for table in tables for row in table.rows]
    assert len(page.all("img")) == len(FIGURES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.8 M", 2.8e6), ("308 k", 3.08e5), ("0.44 B", 4.4e8), ("125.24 ± 5.71", 125.24),
        ("1,119,375", 1119375), ("18.5 %", 18.5), ("−3.5", -3.5), ("-2", -2), ("–", None),
        ("− L_GAN", None), ("TinyGAN-dw", None), ("", None), ("3x", None), ("4 kg", 4),
        ("24.2 − 21.6 = +2.6", 2.6), ("+4.01 to +4.34", 4.01), ("(± 0.5)", None),
    ],
)  # fmt: skip
def test_cells_sort_by_the_number_that_they_begin_with(text: str, value: float | None) -> None:
    assert documents.leading_number(text) == value


@pytest.mark.parametrize(
    ("break_", "message"),
    [
        (
            lambda r: (r / "figures/fig3.png").unlink(),
            "fig3.png is missing; make it with: snakemake",
        ),
        (lambda r: (r / "figures/fig3.png").write_text("no"), "fig3.png is not a PNG image"),
        (lambda r: (r / "tables/table1.md").unlink(), "table1.md is missing; make it with"),
        (lambda r: (r / "tables/table2.md").write_text("# No\n"), "table2.md has no table"),
        (lambda r: (r / "tables/table2.md").write_text(""), "does not begin with a title"),
        (lambda r: (r / "claims.json").write_text('{"claims": []}'), "claims.json has no claims"),
        (
            lambda r: (r / "claims.json").write_text('{"claims": [{"number": 1}]}'),
            "claim 1 lacks title, check, verdict",
        ),
        (
            lambda r: (r / "claims.json").write_text(
                json.dumps({"claims": [CLAIMS[0] | {"verdict": "maybe"}]})
            ),
            "claim 1 is 'maybe'",
        ),
        (lambda r: (r / "provenance.json").unlink(), "provenance.json is missing"),
    ],
)
def test_bad_input_is_named(run: Path, break_, message: str) -> None:
    break_(run)
    with pytest.raises((FileNotFoundError, ValueError), match=re.escape(message)):
        report.report(report_run(run))
    assert not (run / "report.html").exists()


def test_a_caption_that_cannot_be_filled_in_is_named(run: Path, tmp_path: Path) -> None:
    for text in ("{{ snakemake.wildcards.x }}", "{% if %}", "*no end"):
        (tmp_path / "fig1.rst").write_text(text)
        captions = [tmp_path / "fig1.rst", *report_run(run).inputs["captions"][1:]]
        with pytest.raises(ValueError, match=r"fig1.rst is not a valid caption: "):
            report.report(report_run(run, captions=captions))


@pytest.mark.slow
def test_the_command_of_the_help_writes_the_report(run: Path, tmp_path: Path) -> None:
    program = [sys.executable, "analysis/report.py"]
    help_ = subprocess.run([*program, "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    line = help_.split("example:")[1].replace("\\\n", "").replace("results/mini", str(run))
    line = line.replace("--out report", f"--out {tmp_path / 'report'}")
    for figure in ("fig7", "fig10"):  # captions of figures that are not given are not read
        assert not (run / "figures" / f"{figure}.png").exists()
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run / "figures" / "fig1.png").write_text("")
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1 and "fig1.png is not a PNG image" in done.stderr


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(scheme: int) -> None:
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
    colours = {name: both[scheme] for name, *both in found}
    assert len(colours) == 12
    pairs = [*product(("text", "faint", "link"), ("page", "panel"))]
    pairs += [(f"{verdict}-text", verdict) for verdict in ("yes", "no", "open")]
    for text, ground in pairs:
        dark, light = sorted(luminance(colours[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_scores_of_a_run_without_the_papers_names_are_labelled(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["variants"]["dw"] = {"student": {"channels": 99}}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    call("table1", run, run / "tables" / "table1")
    call("table2", run, run / "tables" / "table2")
    page = page_of(run)
    assert "dw: channels 99 has" in page.one("section", id="story").text
    assert "TinyGAN-dw" not in page.one("section", id="story").text
