"""Images of the teacher -> shards: training pairs (z, y, image) and the evaluation images."""

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
    truncation: float,
    seed: int,
    z_dim: int,
    batch: int,
    folder: Path,
    provenance: dict[str, Any],
    names: Names | None = None,
) -> None:
    """Write one shard of the teacher's images, X = {(z, x, y)} of section 3.1.

    A batch never crosses classes and is always full (the last one is filled up with z = 0, whose
    images are dropped), so an image depends on its class and row, not on the cut into jobs nor
    on `count`. A batch is written while the next one is computed; no more than three are in memory.

    Args:
        teacher: see `tinygan.teacher.tfhub.load_teacher`.
        split: which of the two disjoint streams of z to draw from.
        classes: the class indices of this shard.
        count: images a class.
        truncation: scales z and is passed to the teacher.
        seed: the run's seed.
        z_dim: length of z.
        batch: images computed at once.
        folder: the shard's folder.
        provenance: what else decides the content; the arguments above are added to it.
        names: the name of each class index, see `tinygan.data.shards.new_shard`.

    Raises:
        ValueError: split, count, batch or classes make no sense.
    """
    if split not in ("pairs", "evaluation") or count < 1 or batch < 1 or len(classes) == 0:
        raise ValueError(
            "harvest needs the split 'pairs' or 'evaluation', at least one class, and positive "
            f"count and batch; got {split!r}, {classes}, {count}, {batch}"
        )
    decided = {"split": split, "truncation": truncation, "seed": seed, "batch": batch}

    def computed() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for label in classes:
            labels = np.full(batch, label)
            for z in latent_batches(seed, split, label, count, z_dim, truncation, batch):
                wanted = len(z)
                full = np.pad(z, ((0, batch - wanted), (0, 0)))
                yield teacher(full, labels, truncation)[:wanted], labels[:wanted], z

    with (
        new_shard(folder, source="teacher", provenance=decided | provenance, names=names) as shard,
        tqdm(total=len(classes) * count, desc=f"teacher {split}", unit="image") as progress,
    ):

        def write(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
            shard.append(*rows)
            return len(rows[1])

        # The teacher stays in this thread: of what is thread-local in it, we know nothing.
        for written in prefetch(write, computed(), depth=1):
            progress.update(written)
