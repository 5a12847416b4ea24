"""Samples of a generator: the images that are scored and shown."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from tinygan.batches import to_uint8
from tinygan.checkpoint import load_generator, read_card
from tinygan.seeding import latent_batches

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@torch.no_grad()
def draw(
    generator: nn.Module,
    classes: Iterable[int],
    count: int,
    *,
    seed: int,
    z_dim: int,
    truncation: float | None,
    batch: int,
) -> Iterator[Rows]:
    """Draw images of each class with the z of the teacher's evaluation split, batch by batch.

    Row i answers the same (z, y) as row i of the teacher's shard. Batches never cross classes, so
    an image does not depend on how the classes are cut into jobs.

    Args:
        generator: in evaluation mode.
        classes: class indices.
        count: images a class.
        seed: the run's seed.
        z_dim: length of z.
        truncation: scale of z; None for a standard normal z.
        batch: images a forward pass.

    Yields:
        images uint8 [N, H, W, 3], labels int64 [N], z float32 [N, z_dim], N <= batch.
    """
    for label in tqdm(list(classes), desc="sample", unit="class"):
        for z in latent_batches(seed, "evaluation", label, count, z_dim, truncation, batch):
            labels = torch.full((len(z),), label)
            yield to_uint8(generator(torch.from_numpy(z), labels)), labels.numpy(), z


def draw_model(
    folder: Path, classes: range, count: int, *, seed: int, batch: int
) -> tuple[Iterator[Rows], dict[str, Any]]:
    """Draw images of a model on disk, with the z that its card asks for; see `draw`.

    Args:
        folder: the model, with card.json: its ``truncation`` is that of z.
        classes: class indices.
        count: images a class.
        seed: the run's seed.
        batch: images a forward pass.

    Returns:
        what `draw` yields, and its provenance.

    Raises:
        FileNotFoundError, ValueError: see `load_generator`; or the model has fewer classes.
    """
    card = read_card(folder)
    recipe = card["generator"]
    if classes.stop > recipe["classes"]:
        raise ValueError(
            f"{folder} knows {recipe['classes']} classes, but class {classes.stop - 1} is asked for"
        )
    settings = {"seed": seed, "truncation": card["truncation"], "batch": batch}
    rows = draw(load_generator(folder), classes, count, z_dim=recipe["z_dim"], **settings)
    return rows, settings | {"generator": card["sha256"]}
