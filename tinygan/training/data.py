"""Batches from shards: the seeded order of the rows, their arrays, and the move to a device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tinygan.data.shards import Shard
from tinygan.models.pixels import normalize
from tinygan.seeding import draw_z, stream
from tinygan.training.settings import Settings

# The part of a GPU's free memory that the data may take; the rest is for the networks.
RESIDENT = 0.7


@lru_cache(maxsize=4)
def _epoch(seed: int, purpose: str, epoch: int, count: int) -> np.ndarray:
    return stream(seed, purpose, epoch).permutation(count)


def rows_of_step(seed: int, purpose: str, step: int, batch: int, count: int) -> np.ndarray:
    """Return the rows of one step's batch, a slice of an endless sequence of shuffled epochs.

    Args:
        seed: the run's seed.
        purpose: name of the random stream; pairs and real images have independent orders.
        step: from 1; the rows do not depend on the steps before.
        batch: rows per step.
        count: rows per epoch.

    Returns:
        int64 [batch] in 0 .. count - 1; each row occurs once per epoch.
    """
    positions = np.arange((step - 1) * batch, step * batch)
    epochs, within = np.divmod(positions, count)
    rows = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(epochs):
        chosen = epochs == epoch
        rows[chosen] = _epoch(seed, purpose, int(epoch), count)[within[chosen]]
    return rows


class ShardDataset:
    """The rows of several shards, numbered consecutively and read lazily.

    Args:
        shards: shards of one store, in the order of their classes.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = list(shards)
        self.starts = np.cumsum([0, *(len(shard.labels) for shard in self.shards)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def gather(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Copy rows of an array from the shards.

        Args:
            name: ``images``, ``labels`` or ``z``.
            rows: int64 [B].

        Returns:
            The array's rows [B, ...], in the order of `rows`.

        Raises:
            ValueError: a shard has no such array.
        """
        owners = np.searchsorted(self.starts, rows, side="right") - 1  # index of each row's shard
        out: np.ndarray | None = None
        for owner in np.unique(owners):
            array = getattr(self.shards[owner], name)
            if array is None:
                raise ValueError(
                    f"{self.shards[owner].folder} has no {name}: are these the teacher's pairs?"
                )
            if out is None:
                out = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
            chosen = owners == owner
            out[chosen] = array[rows[chosen] - self.starts[owner]]
        return out


class ResidentDataset(ShardDataset):
    """The rows of several shards in the memory of a device: a batch is gathered there.

    Args:
        shards: see `ShardDataset`.
        device: the device; all arrays are copied to it at once.
    """

    def __init__(self, shards: Sequence[Shard], device: torch.device) -> None:
        super().__init__(shards)
        self._arrays = {
            name: _copy([getattr(shard, name) for shard in shards], device)
            for name in _arrays_of(shards)
        }

    def gather(self, name: str, rows: np.ndarray) -> Tensor:
        """Copy rows of an array within the device; see `ShardDataset.gather`."""
        array = self._arrays[name]
        return array[torch.from_numpy(rows).to(array.device)]


def _arrays_of(shards: Sequence[Shard]) -> list[str]:
    return [name for name in ("images", "labels", "z") if getattr(shards[0], name) is not None]


def _copy(arrays: Sequence[np.ndarray], device: torch.device) -> Tensor:
    """Copy arrays to a device one after another, joined along their first axis."""
    shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
    dtype = torch.from_numpy(np.empty(0, arrays[0].dtype)).dtype
    joined, start = torch.empty(shape, dtype=dtype, device=device), 0
    for array in arrays:
        joined[start : start + len(array)] = torch.from_numpy(np.array(array))
        start += len(array)
    return joined


def open_datasets(
    kinds: Mapping[str, Sequence[Shard]], device: torch.device
) -> dict[str, ShardDataset]:
    """Open the data of a training, in the memory of its GPU if it fits there.

    Args:
        kinds: shards by name; all of them become resident, or none.
        device: the device of the networks. On the CPU, shards are read from disk as needed.
    """
    size = sum(
        getattr(shard, name).nbytes
        for shards in kinds.values()
        for name in _arrays_of(shards)
        for shard in shards
    )
    if device.type != "cuda" or size > RESIDENT * torch.cuda.mem_get_info(device)[0]:
        return {name: ShardDataset(shards) for name, shards in kinds.items()}
    return {name: ResidentDataset(shards, device) for name, shards in kinds.items()}


@dataclass
class Batch:
    """The data of one step: harvested pairs, and real images with fresh latent vectors.

    Fields that no term in use needs are None.

    Attributes:
        z: float32 [N, z_dim] of the pairs.
        y: class indices [N] of the pairs.
        teacher: the teacher's images T(z, y), [N, 3, H, W] in [-1, 1].
        real: real images x, like `teacher`.
        real_y: class indices [N] of the real images; the student draws S(fresh_z, real_y).
        fresh_z: float32 [N, z_dim], from the teacher's truncated normal.
    """

    z: Tensor | None = None
    y: Tensor | None = None
    teacher: Tensor | None = None
    real: Tensor | None = None
    real_y: Tensor | None = None
    fresh_z: Tensor | None = None


@dataclass(frozen=True)
class BatchSource:
    """The batches of a run; the batch of a step depends on (seed, step) only.

    Attributes:
        pairs: the teacher's pairs, or None if no term needs them.
        real: real images, or None if no term needs them.
        seed: seed of the order and of the fresh z.
        batch: pairs per step, and real images per step.
        z_dim: length of z.
        truncation: truncation of the fresh z, the same as the teacher's; None: standard normal.
        local_slice: the rows of each batch that this process computes; by default all.
    """

    pairs: ShardDataset | None
    real: ShardDataset | None
    seed: int
    batch: int
    z_dim: int
    truncation: float | None
    local_slice: slice = field(default_factory=lambda: slice(None))

    @classmethod
    def of(
        cls,
        settings: Settings,
        pairs: Sequence[Shard],
        real: Sequence[Shard],
        *,
        local_slice: slice,
        device: torch.device,
    ) -> Self:
        """Open what the loss terms in use need: harvested pairs, real images, or both.

        Args:
            settings: the settings of the training.
            pairs: the teacher's shards, with z.
            real: shards of real images.
            local_slice: see `BatchSource`.
            device: see `open_datasets`.

        Raises:
            ValueError: pairs and real images differ in size, or the pairs have no z.
        """
        if pairs[0].images.shape[1:] != real[0].images.shape[1:]:
            raise ValueError(
                f"teacher images are {pairs[0].images.shape[1:]}, "
                f"real ones {real[0].images.shape[1:]}"
            )
        if pairs[0].z is None:
            raise ValueError(f"{pairs[0].folder} has no z: are these the teacher's pairs?")
        needed = {"pairs": pairs} if settings.loss.uses_teacher else {}
        needed |= {"real": real} if settings.loss.uses_real else {}
        opened = open_datasets(needed, device)
        return cls(
            pairs=opened.get("pairs"),
            real=opened.get("real"),
            seed=settings.seed,
            batch=settings.train.batch,
            z_dim=pairs[0].z.shape[1],
            truncation=settings.truncation,
            local_slice=local_slice,
        )

    def gather(self, step: int) -> dict[str, np.ndarray | Tensor]:
        """Copy the data of one step (from 1) from the shards.

        Returns:
            Arrays by their names in `Batch`; images are uint8 [N, H, W, 3]. They are tensors on the
            device where the data are resident.
        """
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
            drawn = draw_z(rng, self.batch, self.z_dim, self.truncation)
            arrays["fresh_z"] = drawn[self.local_slice]
        return arrays


def to_batch(arrays: Mapping[str, np.ndarray | Tensor], device: torch.device) -> Batch:
    """Move the arrays of `BatchSource.gather` to a device, images as floats in [-1, 1]."""
    batch = Batch()
    for name, array in arrays.items():
        tensor = torch.as_tensor(array)
        if tensor.device.type != device.type:
            tensor = tensor.pin_memory().to(device, non_blocking=True)
        setattr(batch, name, normalize(tensor) if name in ("teacher", "real") else tensor)
    return batch
