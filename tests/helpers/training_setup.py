"""A toy setup for the tests of training: networks and stores that take milliseconds per step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.data.shards import Shard, open_store, write_shard
from tinygan.models.io import save_card
from tinygan.training.loop import train
from tinygan.training.settings import (
    LossSettings,
    Settings,
    StudentSettings,
    TrainSettings,
)
from tinygan.training.step import build_networks, discriminator_shape, generator_shape

FULL = {
    "pixel": 0.2,
    "pixel_zero_at": 0.5,
    "feature": [0.25, 0.5, 1.0],
    "kd_student": 0.01,
    "gan_student": 0.002,
    "kd_discriminator": 1.0,
    "gan_discriminator": 0.2,
}
NO_DISCRIMINATOR = {"kd_discriminator": 0, "gan_discriminator": 0}
PIXEL_ONLY = FULL | NO_DISCRIMINATOR | {"feature": [], "kd_student": 0, "gan_student": 0}
SCRATCH = FULL | {
    "pixel": 0.0,
    "feature": [],
    "kd_student": 0.0,
    "kd_discriminator": 0.0,
    "gan_student": 1.0,
    "gan_discriminator": 1.0,
}
OBJECTIVES = {"full": FULL, "pix": PIXEL_ONLY, "scratch": SCRATCH}
STUDENT = {"architecture": "dw", "channels": 4, "embedding": 8, "discriminator_channels": 4}

Stores = tuple[list[Shard], list[Shard]]


def settings(weights: Mapping[str, Any] = FULL, steps: int = 4, **options: Any) -> Settings:
    """Settings for 3 classes of 32 px and z of 16; `options` are keys of `train`, or `device`."""
    device = options.pop("device", "auto")
    train = {"steps": steps, "batch": 4, "learning_rate": 1e-3, "decay_from": 0.5}
    train |= {"adversarial_every": 2, "log_every": 2, "snapshots": 2}
    return Settings(
        seed=0,
        classes=3,
        image_size=32,
        z_dim=16,
        truncation=0.5,
        student=StudentSettings(**STUDENT),
        train=TrainSettings(**(train | options)),
        loss=LossSettings.of(weights),
        device=device,
    )


def networks():
    """Build S and D for 3 classes of 32 px and z of 16."""
    return build_networks(settings())


def make_stores(folder: Path) -> Stores:
    """Write noise images, 6 per class, as two shards of pairs and two of real images."""
    rng = np.random.default_rng(0)

    def shard(name: str, classes: list[int], with_z: bool) -> Path:
        images = rng.integers(0, 256, (len(classes) * 6, 32, 32, 3), dtype=np.uint8)
        labels = np.repeat(classes, 6)
        z = rng.normal(size=(len(labels), 16)) if with_z else None
        write_shard(folder / name, images, labels, z, source="test", provenance={})
        return folder / name

    pairs = open_store([shard("pairs/0", [0, 1], True), shard("pairs/1", [2], True)])
    real = open_store([shard("real/0", [0], False), shard("real/1", [1, 2], False)])
    return pairs, real


def run(
    stores: Stores, out: Path, weights: Mapping[str, Any], steps: int = 4, **options: Any
) -> Path:
    """Train from the initial weights; return `out`, a whole model.

    `options` are arguments of `train` (checkpoints, live, name) or keys of the section `train`.
    """
    arguments = {key: options.pop(key) for key in ("checkpoints", "live") if key in options}
    chosen = settings(weights, steps, **options)
    trained = train(chosen, *stores, out, **arguments)
    card = {"generator": generator_shape(chosen), "variant": "test"}
    if "discriminator" in trained:
        card["discriminator"] = discriminator_shape(chosen)
    save_card(out, card)
    return out


def files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a folder, by their paths in it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def write_mini_stores(folder: Path, per_class: int = 3) -> None:
    """Write noise images of the mini preset's ten classes as the shards `pairs` and `real`."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(10), per_class)
    for name, z in (("pairs", rng.normal(size=(len(labels), 128))), ("real", None)):
        images = rng.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
        write_shard(folder / name, images, labels, z, source=name, provenance={})
