"""Samples of a student: the images that are scored and shown."""

from collections.abc import Iterable

import numpy as np
import torch
from tqdm import tqdm

from tinygan.batches import to_uint8
from tinygan.models.student import StudentGenerator
from tinygan.seeding import latents


@torch.no_grad()
def sample(
    generator: StudentGenerator,
    classes: Iterable[int],
    count: int,
    *,
    seed: int,
    z_dim: int,
    truncation: float,
    batch: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw images of each class with the z of the teacher's evaluation split.

    Row i answers the same (z, y) as row i of the teacher's shard. Batches never cross classes, so
    an image does not depend on how the classes are cut into jobs.

    Args:
        generator: in evaluation mode.
        classes: class indices.
        count: images a class.
        seed: the run's seed.
        z_dim: length of z.
        truncation: scale of z.
        batch: images a forward pass.

    Returns:
        images uint8 [N, H, W, 3], labels int64 [N], z float32 [N, z_dim], N = classes * count.
    """
    images, labels, zs = [], [], []
    for index in tqdm(list(classes), desc="sample", unit="class"):
        z = latents(seed, "evaluation", index, count, z_dim, truncation)
        for part in torch.from_numpy(z).split(batch):
            images.append(to_uint8(generator(part, torch.full((len(part),), index))))
        labels.append(np.full(count, index))
        zs.append(z)
    return np.concatenate(images), np.concatenate(labels), np.concatenate(zs)
