"""Harvest a teacher into shards: training pairs ((z, y), image) and the evaluation images."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from tinygan.classes.by_name import Names
from tinygan.data.prefetch import prefetch
from tinygan.data.shards import new_shard
from tinygan.seeding import latent_batches
from tinygan.teacher import Teacher


def harvest(
    teacher: Teacher,
    *,
    split: Literal["pairs", "evaluation"],
    classes: range,
    count: int,
    truncation: float | None,
    seed: int,
    z_dim: int,
    batch: int,
    folder: Path,
    provenance: dict[str, Any],
    names: Names | None = None,
) -> None:
    """Write one shard of the teacher's images, X = {(z, x, y)} of section 3.1.

    A batch has one class and is always full (the last one of a class is padded with z = 0, whose
    images are dropped). So an image depends on its class and row only, not on how classes are split
    into jobs, nor on `count`. A batch is written while the next one is computed; at most three are
    in memory.

    Args:
        teacher: see `tinygan.teacher`.
        split: which of the two disjoint streams of z to draw from.
        classes: the class indices of this shard.
        count: images per class.
        truncation: scales z and is passed to the teacher; None: z is standard normal.
        seed: the run's seed.
        z_dim: length of z.
        batch: batch size of the teacher.
        folder: the shard's folder.
        provenance: what else determines the content; the arguments above are added to it.
        names: the name of each class index, see `tinygan.data.shards.new_shard`.

    Raises:
        ValueError: an unknown split, no classes, or a count or batch that is not positive.
    """
    if split not in ("pairs", "evaluation") or count < 1 or batch < 1 or len(classes) == 0:
        raise ValueError(
            "harvest needs the split 'pairs' or 'evaluation', at least one class, and positive "
            f"count and batch; got {split!r}, {classes}, {count}, {batch}"
        )
    settings = {"split": split, "truncation": truncation, "seed": seed, "batch": batch}

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for label in classes:
            labels = np.full(batch, label)
            for z in latent_batches(seed, split, label, count, z_dim, truncation, batch):
                rows = len(z)
                padded = np.pad(z, ((0, batch - rows), (0, 0)))
                yield teacher(padded, labels, truncation)[:rows], labels[:rows], z

    with (
        new_shard(folder, source="teacher", provenance=settings | provenance, names=names) as shard,
        tqdm(total=len(classes) * count, desc=f"teacher {split}", unit="image") as progress,
    ):

        def write(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
            shard.append(*rows)
            return len(rows[1])

        # The teacher runs in this thread, since it may not be thread-safe.
        for count_written in prefetch(write, batches(), depth=1):
            progress.update(count_written)
