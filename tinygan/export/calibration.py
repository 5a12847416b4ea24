"""The z and classes on which the ranges of an int8 model are measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinygan.data.shards import open_store
from tinygan.seeding import draw_z, stream

SAMPLES = 500


class Calibration(NamedTuple):
    """z float32 [N, z_dim], the model's labels int64 [N], and in words where they come from."""

    z: np.ndarray
    labels: np.ndarray
    origin: str


def harvested(manifests: Sequence[Path], classes: Sequence[str], z_dim: int) -> Calibration:
    """Take z and labels of the teacher's training pairs: the first ones of each class.

    Args:
        manifests: of the shards of the pairs.
        classes: the names of the model's classes, in the order of its labels.
        z_dim: length of the model's z.

    Raises:
        FileNotFoundError, ValueError: see `tinygan.data.shards.open_store`; or the shards have no z
            of this length.
    """
    shards = open_store(manifests, classes, what="--pairs")
    per_class = -(-SAMPLES // len(classes))
    found_z, found_labels = [], []
    for shard in shards:
        if shard.z is None or shard.z.shape[1] != z_dim:
            found = "no z" if shard.z is None else f"z of {shard.z.shape[1]} numbers"
            raise ValueError(f"{shard.folder} has {found}: the model needs z of {z_dim} numbers")
        for label in np.unique(shard.labels):
            rows = np.flatnonzero(shard.labels == label)[:per_class]
            found_z.append(shard.z[rows])
            found_labels.append(shard.labels[rows])
    z, labels = np.concatenate(found_z), np.concatenate(found_labels)
    return Calibration(z, labels, f"{len(z)} z of the teacher's training pairs")


def seeded(*, z_dim: int, classes: int, truncation: float | None) -> Calibration:
    """Draw z of the model's own truncation, and classes in turn."""
    z = draw_z(stream(0, "export/calibration/z"), SAMPLES, z_dim, truncation)
    about = "a standard normal" if truncation is None else f"truncation {truncation}"
    return Calibration(z, np.arange(SAMPLES) % classes, f"{SAMPLES} z of {about}, seed 0")
