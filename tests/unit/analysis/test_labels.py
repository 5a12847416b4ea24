"""Labels of rows and figures: the paper's names only for the paper's variants, and any text."""

import importlib
import json
import re
import subprocess
import sys
import warnings
from copy import deepcopy
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from helpers.paths import ROOT
from helpers.run_results import call, write_results

from tinygan.config.read import DEFAULT
from tinygan.planning.run import load, load_files

paper, text = (importlib.import_module(name) for name in ("paper", "text"))
summary = importlib.import_module("summary")


@pytest.fixture
def config() -> dict:
    return load(DEFAULT)


@pytest.mark.parametrize("preset", [None, "paper", "smoke"])
def test_the_shipped_variants_bear_the_papers_names(preset: str | None) -> None:
    assert paper.labels(load(DEFAULT, preset)) == {
        name: paper.NAMES[name] for name in load(DEFAULT, preset)["variants"]
    }


@pytest.mark.parametrize(
    ("variant", "changes", "label"),
    [
        ("no_feat", {"loss": {"feature": [], "pixel": 0.4}}, "no_feat: feature [], pixel 0.4"),
        ("no_feat", {"loss": {"feature": [0.0, 0.0, 0.0]}}, None),
        ("no_feat", {"loss": {"feature": [0.0, 0.0, 1.0]}}, "no_feat: feature [0, 0, 1]"),
        ("no_gan", {"loss": {"gan_student": 0}}, "no_gan: gan_student 0"),
        ("no_kd_adv", {}, "no_kd_adv"),
        ("std", {"student": {"architecture": "dw"}}, "std"),
        ("std", {"student": {"architecture": "std"}, "train": {"steps": 9}}, "std: architecture"),
        ("std_half", {"student": {"architecture": "std", "channels": 12}}, "std_half: arch"),
        ("dw", {"loss": {"pixel": 0.2}}, None),
        ("dw", {"loss": {"pixel": 0.3}}, "dw: pixel 0.3"),
    ],
)
def test_a_changed_variant_is_labelled_with_its_changes(
    config: dict, variant: str, changes: dict, label: str | None
) -> None:
    config["variants"][variant] = changes
    found = paper.labels(config)[variant]
    assert found == paper.NAMES[variant] if label is None else found.startswith(label)


def add_variant(results: Path, config: dict) -> None:
    import yaml

    for name, changes in (
        ("mine", {"loss": {"pixel": 0.5}}),
        ("small", {"student": {"channels": 4}}),
    ):
        config["variants"][name] = changes
        score = json.loads((results / "scores" / "dw.json").read_text())
        (results / "scores" / f"{name}.json").write_text(json.dumps(score | {"source": name}))
        with open(results / "cost.csv", "a") as file:
            file.write(f"{name},dw,4,1000,500,70000\n")
    (results / "config.yaml").write_text(yaml.safe_dump(config))


def test_added_variants_have_rows(results: Path, config: dict) -> None:
    kept = deepcopy(config) | {"preset": "mini", "seed": 7}
    add_variant(results, kept)
    one = call("table1", results).set_index("source")
    assert one.index.to_list()[-3:] == ["mine", "small", "real"]
    assert one.model["small"] == "small: channels 4" and one.macs["small"] == 70000
    two = call("table2", results).set_index("source")
    assert (
        "mine" in two.index and "small" not in two.index and two.model["mine"] == "mine: pixel 0.5"
    )
    shown = (results / "out" / "table2.md").read_text()
    assert "the paper does not have: mine" in shown and "| mine: pixel 0.5 |" in shown


def test_another_dataset_is_not_compared_with_the_paper(
    results: Path,
    config: dict,
) -> None:
    import yaml

    config["real"] = {"source": "image_folder", "path": "x", "crop": "biggan", "max_dropped": 0}
    (results / "config.yaml").write_text(yaml.safe_dump(config | {"preset": "mine"}))
    call("table1", results)
    shown = (results / "out" / "table1.md").read_text()
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert [line.count("|") for line in rows] == [6] * 6 + [5] * 7 and "| Teacher |" in shown
    assert "paper Ch." not in shown and "SNGAN" not in shown and "BigGAN" not in shown
    assert "are not shown beside those of other data" in shown
    tex = (results / "out" / "table1.tex").read_text()
    assert "Paper}" not in tex and r"\cmidrule" not in tex
    imagenet = load_files(
        [],
        {
            "real": {"source": "imagenet", "path": "x", "crop": "biggan"} | {"max_dropped": 0},
            "classes": "animals",
        },
    )
    assert paper.compares(imagenet)
    assert not paper.compares(imagenet | {"classes": imagenet["classes"][:20]})


def test_text_for_latex_markdown_and_figures() -> None:
    assert text.latex("a_b $5 50% & #1 {x} ^ ~ \\") == (
        r"a\_b \$5 50\% \& \#1 \{x\} \textasciicircum{} \textasciitilde{} \textbackslash{}"
    )
    assert text.latex("− L_KD_S, L_GAN") == (r"$-$ $L_{\mathrm{KD\_S}}$, $L_{\mathrm{GAN}}$")
    assert text.cell("a|b\n<i>*x*") == r"a\|b \<i\>\*x\*"
    assert text.drawn("$x^2$ cat") == r"\$x^2\$ cat"
    assert text.drawn("cat\x07") == "cat"


def test_characters_that_no_font_has_are_written_as_their_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    text._fonts_of.cache_clear()
    monkeypatch.setattr(text, "_others", dict)
    assert text.drawn("猫 cat") == "U+732B cat" and text.fonts("猫") == ["DejaVu Sans"]
    assert "no installed font has" in capsys.readouterr().err
    text._fonts_of.cache_clear()


def test_the_last_resort_font_is_not_used() -> None:
    manager = text.font_manager.fontManager
    boxes = [font.fname for font in manager.ttflist if font.name.startswith("Last Resort")]
    assert all(ord("猫") in text._characters(file) for file in boxes)
    assert not any(name.startswith("Last Resort") for name in text.fonts("猫"))


@pytest.mark.slow
def test_a_class_of_any_name_can_be_drawn(results: Path, config: dict) -> None:
    import yaml

    names = ["a_b^$x$", "50 % & more", "猫", "<b>|x|", "\\frac{1}", "ﬁ​​ne"]
    (results / "config.yaml").write_text(
        yaml.safe_dump(config | {"classes": names}, allow_unicode=True)
    )
    for source in ("teacher", "dw", "std"):
        path = results / "intra_fid" / f"{source}.csv"
        table = pd.read_csv(path)
        table["name"] = names
        table.to_csv(path, index=False)
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")  # Matplotlib warns of a character that its fonts lack
        for name in ("fig1", "fig9", "fig11"):
            call(name, results)
            assert (results / "out" / f"{name}.png").is_file()


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_the_summary_has_tables_verdicts_and_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: list[int]
) -> None:
    monkeypatch.chdir(tmp_path)
    results = write_results(Path("results/mini"), seeds)
    for name in ("table1", "table2"):
        call(name, results, results / "tables" / name)
    call("claims", results, results / "claims")
    shown = summary.summary(results)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if line.startswith("− L_KD_feat"))
    if seeds == [0]:
        assert row.split()[-4:] == ["40.0", "54.4", "80.0", "149.2"]
        assert "Table 1, scores (one seed)" in lines
    else:
        assert re.search(r" 43\.0 ± 3\.0 +54\.4 +86\.1 ± 6\.1 +149\.2$", row)
        assert "Table 1, scores (mean ± standard deviation over 3 seeds)" in lines
    # Tables first, then the claims, at the end the paths alone.
    titles = ["Table 1, cost", "Table 1, sc", "Table 2", "The paper's claims", "Where the files"]
    places = [next(i for i, line in enumerate(lines) if line.startswith(t)) for t in titles]
    assert places == sorted(places)
    verdict = "undecided" if seeds == [0] else "holds"
    assert any(re.match(rf"  {verdict} +2\. TinyGAN-std is better", line) for line in lines)
    joined = " ".join(shown.split())
    assert ("alone is the worst (one seed)" in joined) == (seeds == [0])
    assert f"{results}/claims.md" in shown and "report.html" not in shown


def test_the_summary_of_nothing_says_how_to_make_it() -> None:
    done = subprocess.run(
        [sys.executable, "analysis/summary.py", "--results", "nowhere"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "nowhere has no results; make them" in done.stderr


def test_html_pages_show_the_tables_of_the_markdown(results: Path) -> None:
    call("table1", results)
    page = (results / "out" / "table1.html").read_text()
    assert page.count("<table>") == 2 and page.count("<tr>") == 7 + 7
    assert "TinyGAN-dw" in page and "<script" not in page
    call("claims", results, results / "out" / "claims")
    assert "<h2>5. Teacher" in (results / "out" / "claims.html").read_text()
