"""The preset `mini_diffusion` through Snakemake, cut down as `smoke` is, and its training."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.checkouts import make_checkout, snakemake
from helpers.paths import ROOT
from safetensors.torch import load_file

from tinygan.data.shards import open_shard
from tinygan.files import read_json
from tinygan.models.io import load_generator, read_card

pytestmark = pytest.mark.slow

# Smaller than `smoke`, which is laid over the preset first.
TINY = {
    "preset": "mini_diffusion",
    "classes_per_shard": 10,
    "teacher": {"pairs_per_class": 4, "batch": 4},
    "student": {"channels": 4, "discriminator_channels": 4},
    "train": {"steps": 4, "batch": 4, "log_every": 2},
    "metrics": {"samples_per_class": 4, "jackknife_groups": 2},
    "mini_diffusion": {"steps": 3, "widths": [8, 8], "embedding": 8, "batch": 4, "log_every": 2},
}
FILES = ["config/mini_diffusion.yaml", "config/smoke.yaml", "tiny.yaml"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = make_checkout(tmp_path_factory.mktemp("checkout"), {"tiny.yaml": TINY})
    shutil.copytree(ROOT / "resources/mini_diffusion", top / "resources/mini_diffusion")
    return top


def run(checkout: Path, targets: Sequence[str], **options: object) -> str:
    return snakemake(checkout, *targets, configfiles=FILES, **options)


def test_a_student_of_noise_images_is_trained_scored_and_shown(checkout: Path) -> None:
    run(checkout, ["dw", "fig1"])
    results = checkout / "results" / "mini_diffusion"
    shard = open_shard(results / "images/teacher_pairs/000-009", verify=True)
    assert shard.z.shape == (40, 1024) and np.abs(shard.z).max() > 3
    assert shard.manifest["provenance"]["truncation"] is None
    assert (shard.images == shard.images[..., :1]).all()
    card = read_card(results / "models/dw")
    assert (card["truncation"], card["generator"]["z_dim"]) == (None, 1024)
    assert load_generator(results / "models/dw").first.weight.shape == (16 * 16, 1024)
    assert read_json(results / "scores/dw.json")["fid"] > 0
    assert (results / "figures/fig1.png").is_file()


def test_the_diffusion_model_is_trained_by_a_target_of_its_own(checkout: Path) -> None:
    weights = "results/mini_diffusion/mini_diffusion/denoiser.safetensors"
    run(checkout, [weights])
    trained = load_file(checkout / weights)
    assert trained["unet.last.weight"].any() and trained["unet.embedding.weight"].shape == (10, 8)
    log = (checkout / weights).with_name("log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "2", "3"]
    # Nothing else needs it, and a run without the section has no such rule.
    listed = snakemake(checkout, "--list-rules")
    assert "train_teacher" in listed and "train_diffusion" not in listed
