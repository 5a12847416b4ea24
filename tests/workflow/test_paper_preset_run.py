"""The paper preset end to end at 128 px, cut to two classes, few images and few steps.

The teacher is that of the preset, with a module of the published sizes in the cache;
the extractor is EfficientNet-Lite0, because the Inception graph is a download. The images are the
photographs where they are available, and synthetic ones otherwise.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.checkouts import make_checkout, snakemake
from helpers.image_files import packed, pixels, write_folders
from helpers.paths import PHOTOGRAPHS, PYTHONPATH, TESTS
from helpers.run_results import shown_tiles

from tinygan.classes.imagenet import wnid_of_name
from tinygan.data.shards import open_shard

pytestmark = pytest.mark.slow

NAMES = ["tench", "goldfish"]
IMAGES = 6
CUT = {
    "preset": "cut",
    "device": "cpu",
    "classes": NAMES,
    "real": {"path": "imagenet", "check_counts": False},
    "teacher": {"pairs_per_class": 6, "batch": 6},
    "train": {"steps": 2, "batch": 2, "snapshots": 2, "log_every": 1, "threads": 1},
    "metrics": {
        "extractor": "efficientnet_lite0",
        "samples_per_class": 6,
        "curve_samples_per_class": 3,
        "is_splits": 2,
        "jackknife_groups": 2,
        "prdc_k": 2,
        "batch": 6,
        "threads": 1,
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and score dw, and draw it beside the teacher."""
    top = tmp_path_factory.mktemp("checkout")
    make_checkout(top, {"cut.yaml": CUT})
    write_folders(top / "imagenet", {wnid: {} for wnid in wnid_of_name().values()})
    for name in NAMES:
        folder = top / "imagenet" / wnid_of_name()[name]
        for photograph in (PHOTOGRAPHS / "train").glob(f"{folder.name}/*"):
            shutil.copy(photograph, folder)
        for number in range(IMAGES):
            (folder / f"{number}.JPEG").write_bytes(packed(pixels(number, 300, 280), "JPEG"))
    cached = str(top / "cache" / "biggan-deep-128-tfhub")
    module = [sys.executable, str(TESTS / "helpers" / "teachers.py"), cached]
    environment = os.environ | {"PYTHONPATH": PYTHONPATH}
    subprocess.run(module, env=environment, check=True, capture_output=True)
    snakemake(
        top,
        "dw",
        "results/cut/figures/fig1.png",
        "--notemp",  # the teacher's images are looked at
        configfiles=["config/paper.yaml", "cut.yaml"],
        env={"TINYGAN_CACHE": str(top / "cache")},
    )
    return top / "results" / "cut"


def test_both_crops_and_the_teachers_images_are_shards_of_128_px(results: Path) -> None:
    for source in ("real", "real_train", "teacher_pairs", "teacher"):
        shard = open_shard(results / "images" / source / "000-001", verify=True)
        assert shard.images.shape[1:] == (128, 128, 3)
        assert np.bincount(shard.labels).min() >= IMAGES
    assert shard.z.shape == (12, 128)
    crops = [open_shard(results / f"images/{name}/000-001") for name in ("real", "real_train")]
    assert not np.array_equal(crops[0].images, crops[1].images)


def test_the_student_is_the_papers_and_its_scores_are_of_both_classes(results: Path) -> None:
    card = json.loads((results / "models/dw/card.json").read_text())
    # Table 1's 3.1 M count the embeddings of all 1,000 classes.
    assert card["parameters"] == 3_070_659 - 998 * 128
    scores = json.loads((results / "scores/dw.json").read_text())
    assert scores["samples"] == 12 and np.isfinite(scores["fid"])
    with open(results / "intra_fid/dw.csv") as file:
        assert [row["name"] for row in csv.DictReader(file)] == NAMES


def test_figure_1_shows_teacher_and_student(results: Path) -> None:
    tiles = shown_tiles(results / "figures" / "fig1.png", 8, 2)
    for column in range(2):
        for row, source in enumerate(("teacher", "dw")):
            shard = open_shard(results / "previews" / source / "000-001")
            images = shard.images[shard.labels == column][:4]
            np.testing.assert_array_equal(tiles[row::2, column], images)
