"""Images of the teacher -> shards: training pairs (z, y, image) and the evaluation images."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from tinygan.seeding import latents
from tinygan.shards import write_shard
from tinygan.teacher.hub import Teacher


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
) -> None:
    """Write one shard of the teacher's images, X = {(z, x, y)} of section 3.1.

    A batch never crosses classes and is always full (the last one is filled up with z = 0, whose
    images are dropped), so an image depends on its class and row, not on the cut into jobs nor
    on `count`.

    Args:
        teacher: see `tinygan.teacher.hub.load_teacher`.
        split: which of the two disjoint streams of z to draw from.
        classes: the class indices of this shard.
        count: images a class.
        truncation: scales z and is passed to the teacher.
        seed: the run's seed.
        z_dim: length of z.
        batch: images computed at once.
        folder: the shard's folder.
        provenance: what else decides the content; the arguments above are added to it.

    Raises:
        ValueError: split, count, batch or classes make no sense.
    """
    if split not in ("pairs", "evaluation") or count < 1 or batch < 1 or len(classes) == 0:
        raise ValueError(
            "harvest needs the split 'pairs' or 'evaluation', at least one class, and positive "
            f"count and batch; got {split!r}, {classes}, {count}, {batch}"
        )
    images, kept = [], []
    with tqdm(total=len(classes) * count, desc=f"teacher {split}", unit="image") as progress:
        for label in classes:
            z = latents(seed, split, label, count, z_dim, truncation)
            kept.append(z)
            padded = np.pad(z, ((0, -count % batch), (0, 0)))
            labels = np.full(batch, label)
            for start in range(0, count, batch):
                wanted = min(batch, count - start)
                images.append(teacher(padded[start : start + batch], labels, truncation)[:wanted])
                progress.update(wanted)
    write_shard(
        folder,
        np.concatenate(images),
        np.repeat(np.array(classes), count),
        np.concatenate(kept),
        source="teacher",
        provenance={
            "split": split,
            "truncation": truncation,
            "seed": seed,
            "batch": batch,
            **provenance,
        },
    )
