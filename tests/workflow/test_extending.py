"""The examples of docs/guide/extending.md, each run as it is written."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers.checkouts import make_checkout, snakemake
from helpers.paths import ROOT
from PIL import Image

from tinygan.models.flops import count_parameters
from tinygan.models.students import build_student

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs/guide/extending.md").read_text()
# What makes a run of `mini` small; the examples say the rest.
SMALL = {
    "teacher": {"pairs_per_class": 8},
    "train": {"steps": 4, "batch": 4, "snapshots": 1, "log_every": 2},
    "metrics": {"samples_per_class": 4, "curve_samples_per_class": 4}
    | {"is_splits": 2, "jackknife_groups": 2, "input_size": 32},
}


def blocks() -> dict[str, tuple[str, str]]:
    """Return the text of each block with a file name, and the word after the name."""
    found = re.findall(r"^```\w+ ([\w./]+)(?: (\w+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return {name: (how, text) for name, how, text in found}


@pytest.fixture(scope="module")
def apply(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that writes blocks of the page into one checkout."""
    checkout = make_checkout(tmp_path_factory.mktemp("extending"), {"small.yaml": SMALL})
    for name in ("saved_model.pb", "tfhub_module.pb"):
        (checkout / "resources/mini_teacher" / name).unlink()
        shipped = ROOT / "resources/mini_teacher" / name
        (checkout / "resources/mini_teacher" / name).symlink_to(shipped)

    def write(*names: str) -> Path:
        for name in names:
            how, text = blocks()[name]
            path = checkout / name
            if how == "append":
                text = path.read_text() + text
            elif how == "row":
                before = path.read_text()
                text = before.replace(
                    '\n    "claims": Artefact(', f'\n{text}    "claims": Artefact('
                )
                assert text != before
            path.write_text(text)
        return checkout

    return write


def run(checkout: Path, *targets: str, config: str | None = None) -> Path:
    """Run targets, small; return the folder of results."""
    files = ["small.yaml", *([config] if config else [])]
    snakemake(checkout, *targets, configfiles=files)
    preset = yaml.safe_load((checkout / config).read_text())["preset"] if config else "mini"
    return checkout / "results" / preset


def test_every_block_of_the_page_is_run() -> None:
    used = set(re.findall(r'"([\w./]+\.(?:py|yaml|rst|smk))"', Path(__file__).read_text()))
    assert blocks().keys() <= used


def test_a_loss_term(apply: Callable) -> None:
    results = run(apply("tinygan/training/losses.py", "loss.yaml"), "l2", config="loss.yaml")
    with open(results / "models/l2/log.csv") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["loss_squared"]) > 0 and row["loss_pixel"] == "" for row in rows)
    assert json.loads((results / "scores/l2.json").read_text())["samples"] == 40


def test_a_loss_term_that_is_mistyped_is_refused_with_its_name(apply: Callable) -> None:
    checkout = apply("loss.yaml")
    wrong = (checkout / "loss.yaml").read_text().replace("squared", "sqared")
    (checkout / "wrong.yaml").write_text(wrong)
    output = snakemake(checkout, "l2", "-n", configfiles=["wrong.yaml"], fails=True)
    assert "unknown key variants.l2.loss.sqared; did you mean variants.l2.loss.squared?" in output


def test_a_student_architecture(apply: Callable) -> None:
    checkout = apply("tinygan/models/students/dw5.py", "architecture.yaml")
    results = run(checkout, "wide_kernel", config="architecture.yaml")
    card = json.loads((results / "models/wide_kernel/card.json").read_text())
    # Each of the channels that depthwise convolutions read has 25 weights in place of 9.
    dw = build_student(**(card["generator"] | {"architecture": "dw"}))
    assert card["parameters"] == count_parameters(dw) + 16 * (64 + 64 + 64 + 32 + 32 + 16)
    assert (results / "scores/wide_kernel.json").is_file()


def test_a_packaged_dataset(apply: Callable) -> None:
    checkout = apply("tinygan/data/real/mnist_5k.py", "dataset.yaml")
    results = run(checkout, "real", config="dataset.yaml")
    manifest = json.loads((results / "images/real/000-002/manifest.json").read_text())
    assert manifest["class_names"] == {"0": "three", "1": "five", "2": "eight"}
    assert set(manifest["classes"].values()) == {500}
    images = np.load(results / "images/real/000-002/images.npy")
    assert images.shape == (1500, 32, 32, 3) and images.max() == 255


def test_a_feature_extractor(apply: Callable) -> None:
    checkout = apply("tinygan/features/extractors/thumbnail.py", "extractor.yaml")
    target = "results/extractor/scores/teacher.json"
    results = run(checkout, target, config="extractor.yaml")
    scores = json.loads((results / "scores/teacher.json").read_text())
    assert scores["extractor"] == "thumbnail" and scores["fid"] > 0
    assert scores["inception_score"] is None and scores["inception_score_std"] is None


def test_a_figure(apply: Callable) -> None:
    rows = ("workflow/rules/analysis.smk", "workflow/report/hardest.rst", "analysis/hardest.py")
    results = run(apply(*rows), "results/mini/figures/hardest.png")
    image = np.asarray(Image.open(results / "figures/hardest.png").convert("RGB"))
    blue = (np.abs(image.astype(int) - (1, 115, 178)) < 3).all(axis=2)  # of the palette
    assert 0.1 < blue.mean() < 0.8
