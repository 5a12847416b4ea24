"""The paper preset: its settings, and a DAG that needs only the path to ImageNet."""

import re
from pathlib import Path

import pytest
from helpers.checkouts import jobs, make_checkout, snakemake
from helpers.image_files import write_folders
from helpers.paths import ROOT

from tinygan.classes.imagenet import imagenet_names, wnid_of_name
from tinygan.planning.run import load_files

pytestmark = pytest.mark.slow

PRESET = "config/paper.yaml"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with an ImageNet of empty class folders, and with nothing else."""
    top = tmp_path_factory.mktemp("checkout")
    make_checkout(top)
    write_folders(top / "imagenet", {wnid: {} for wnid in wnid_of_name().values()})
    return top


def plan(checkout: Path, *words: str, real: str = "", fails: bool = False) -> str:
    given = ["--config", f"real={{{real}}}"] if real else []
    return snakemake(checkout, *words, *given, "-n", configfiles=[PRESET], fails=fails)


def test_the_dag_is_built_from_the_path_alone(checkout: Path) -> None:
    output = plan(checkout, "--quiet", "rules", real="path: imagenet")
    found = jobs(output)
    shards = 20
    assert found["harvest"] == found["harvest_evaluation"] == shards
    assert found["real_shard"] == 2 * shards and found["features"] == 3 * shards
    assert found["sample"] == 8 * shards and found["score"] == 10
    assert found["total"] < 400
    performance = (ROOT / "docs/results/performance.md").read_text()
    assert f"| `paper`: jobs | 1,808 | {found['total']} |" in performance
    assert f"the paper's: {found['total']} jobs" in performance
    assert "download" not in found and "train_teacher" not in found
    assert not (checkout / "results").exists()
    config = load_files([ROOT / PRESET], {"real": {"path": "imagenet"}})
    assert config["classes"] == imagenet_names("animals") and config["real"]["path"] == "imagenet"
    train, epoch = config["train"], 398 * 3000 / 32
    assert train["steps"] == 30 * epoch
    assert round(train["decay_from"] * train["steps"]) == 300_000
    assert round(config["loss"]["pixel_zero_at"] * train["steps"] / epoch, 2) == 20


def test_students_train_on_one_crop_and_are_scored_against_the_other(checkout: Path) -> None:
    scored = plan(checkout, "train_dw", real="path: imagenet")
    assert "logs/real_train/000-019" in scored and "logs/real/000-019" not in scored
    alike = plan(checkout, "train_dw", real="path: imagenet, train_crop: biggan")
    assert "logs/real_train" not in alike and "logs/real/000-019" in alike


def test_a_missing_path_is_reported_in_one_sentence(checkout: Path) -> None:
    output = plan(checkout, fails=True)
    assert "Traceback" not in output
    (line,) = re.findall(r".*real\.path.*", output)
    assert "there is no file or folder data/ILSVRC2012_img_train.tar; give the path" in line
