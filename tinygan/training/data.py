"""Batches out of shards: an exact, seeded order, its rows, and their way to a device."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tinygan.data.shards import Shard
from tinygan.models.pixels import normalize
from tinygan.seeding import stream, truncated_normal
from tinygan.training.settings import Settings


@lru_cache(maxsize=4)
def _epoch(seed: int, purpose: str, epoch: int, count: int) -> np.ndarray:
    return stream(seed, purpose, epoch).permutation(count)


def rows_of_step(seed: int, purpose: str, step: int, batch: int, count: int) -> np.ndarray:
    """Return the rows of one step, cut out of an endless sequence of shuffled epochs.

    Args:
        seed: the run's seed.
        purpose: name of the stream, so that pairs and real images have orders of their own.
        step: step, from 1; the rows depend on it alone, not on the steps before.
        batch: rows per step.
        count: rows in an epoch.

    Returns:
        int64 [batch], each in 0 .. count - 1; every row comes once in each epoch.
    """
    positions = np.arange((step - 1) * batch, step * batch)
    epochs, within = np.divmod(positions, count)
    rows = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(epochs):
        chosen = epochs == epoch
        rows[chosen] = _epoch(seed, purpose, int(epoch), count)[within[chosen]]
    return rows


class ShardDataset:
    """The rows of several shards under one numbering; nothing is read before it is needed.

    Args:
        shards: shards of one store, in the order of their classes.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = list(shards)
        self.starts = np.cumsum([0, *(len(shard.labels) for shard in self.shards)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def gather(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Copy rows [B] of the array `name` (``images``, ``labels`` or ``z``) out of the shards.

        Raises:
            ValueError: a shard has no such array.
        """
        parts = np.searchsorted(self.starts, rows, side="right") - 1
        out: np.ndarray | None = None
        for part in np.unique(parts):
            array = getattr(self.shards[part], name)
            if array is None:
                raise ValueError(f"{self.shards[part].folder} has no {name}: are these pairs?")
            if out is None:
                out = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
            chosen = parts == part
            out[chosen] = array[rows[chosen] - self.starts[part]]
        return out


@dataclass
class Batch:
    """One step's data: harvested pairs, and real images with fresh latent vectors.

    What no term in use needs is None.

    Attributes:
        z: float [N, z_dim] of the pairs.
        y: class indices [N] of the pairs.
        teacher: T(z, y), [N, 3, H, W] in [-1, 1].
        real: real images x, like `teacher`.
        real_y: their class indices, which the student is given with `fresh_z`.
        fresh_z: float [N, z_dim], from the teacher's truncated normal.
    """

    z: Tensor | None = None
    y: Tensor | None = None
    teacher: Tensor | None = None
    real: Tensor | None = None
    real_y: Tensor | None = None
    fresh_z: Tensor | None = None


@dataclass(frozen=True)
class BatchSource:
    """Where the batches of a run come from; the batch of a step depends on (seed, step) alone.

    Attributes:
        pairs: the teacher's rows, or None where no term needs them.
        real: rows of real images, or None likewise.
        seed: seed of the order and of the fresh z.
        batch: pairs per step, and as many real images.
        z_dim: length of z.
        truncation: scale of the fresh z, the teacher's.
        local_slice: the rows of each batch that this process computes; by default all.
    """

    pairs: ShardDataset | None
    real: ShardDataset | None
    seed: int
    batch: int
    z_dim: int
    truncation: float
    local_slice: slice = field(default_factory=lambda: slice(None))

    @classmethod
    def of(
        cls, settings: Settings, pairs: Sequence[Shard], real: Sequence[Shard], local_slice: slice
    ) -> Self:
        """Serve what the terms in use need of harvested pairs and of real images.

        Raises:
            ValueError: the two differ in image size, or the pairs have no z.
        """
        if pairs[0].images.shape[1:] != real[0].images.shape[1:]:
            raise ValueError(
                f"teacher images are {pairs[0].images.shape[1:]}, "
                f"real ones {real[0].images.shape[1:]}"
            )
        if pairs[0].z is None:
            raise ValueError(f"{pairs[0].folder} has no z: are these pairs?")
        return cls(
            pairs=ShardDataset(pairs) if settings.loss.uses_teacher else None,
            real=ShardDataset(real) if settings.loss.uses_real else None,
            seed=settings.seed,
            batch=settings.train.batch,
            z_dim=pairs[0].z.shape[1],
            truncation=settings.truncation,
            local_slice=local_slice,
        )

    def gather(self, step: int) -> dict[str, np.ndarray]:
        """Copy the data of one step out of the shards, by the names in `Batch`, images as uint8."""
        arrays = {}
        if self.pairs is not None:
            rows = rows_of_step(self.seed, "train/pairs", step, self.batch, len(self.pairs))
            rows = rows[self.local_slice]
            arrays["z"] = self.pairs.gather("z", rows)
            arrays["y"] = self.pairs.gather("labels", rows)
            arrays["teacher"] = self.pairs.gather("images", rows)
        if self.real is not None:
            rows = rows_of_step(self.seed, "train/real", step, self.batch, len(self.real))
            rows = rows[self.local_slice]
            arrays["real_y"] = self.real.gather("labels", rows)
            arrays["real"] = self.real.gather("images", rows)
            rng = stream(self.seed, "train/z", step)
            drawn = truncated_normal(rng, self.batch, self.z_dim, self.truncation)
            arrays["fresh_z"] = drawn[self.local_slice]
        return arrays


def to_batch(arrays: dict[str, np.ndarray], device: torch.device) -> Batch:
    """Move a gathered batch to a device: images as bytes, which become floats there."""
    batch = Batch()
    for name, array in arrays.items():
        tensor = torch.from_numpy(array)
        if device.type == "cuda":
            tensor = tensor.pin_memory().to(device, non_blocking=True)
        setattr(batch, name, normalize(tensor) if name in ("teacher", "real") else tensor)
    return batch
