"""Samples of a generator: the images that are scored and shown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from tinygan.classes.by_name import match
from tinygan.models.io import load_generator, read_card
from tinygan.models.pixels import to_uint8
from tinygan.seeding import latent_batches

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@torch.no_grad()
def draw(
    generator: nn.Module,
    classes: Sequence[int],
    count: int,
    *,
    seed: int,
    z_dim: int,
    truncation: float | None,
    batch: int,
    labels_there: Mapping[int, int] | None = None,
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
        labels_there: the generator's own label of each class index; None: the same.

    Yields:
        images uint8 [N, H, W, 3], labels int64 [N], z float32 [N, z_dim], N <= batch.
    """
    for label in tqdm(list(classes), desc="sample", unit="class"):
        there = label if labels_there is None else labels_there[label]
        for z in latent_batches(seed, "evaluation", label, count, z_dim, truncation, batch):
            images = generator(torch.from_numpy(z), torch.full((len(z),), there))
            yield to_uint8(images), np.full(len(z), label), z


def labels_in_model(
    folder: Path, card: Mapping[str, Any], names: Sequence[str], classes: Sequence[int]
) -> dict[int, int]:
    """Return a model's own label of each of these classes of the run, by name.

    Args:
        folder: the model, for messages.
        card: its card, with the names of its ``classes`` in the order of its labels.
        names: the names of the run's classes, in the order of the class index.
        classes: class indices of the run.

    Raises:
        ValueError: the card names no classes, or not these.
    """
    count = card["generator"]["classes"]
    if len(card.get("classes", [])) != count:
        raise ValueError(
            f"{folder}: its card.json does not name the {count} classes of the model, so they "
            "cannot be matched with those of the run: import it again with --classes, or add "
            f'"classes" to the card, a list of {count} names in the order of its labels'
        )
    wanted = [names[label] for label in classes]
    there = match(card["classes"], wanted, what=str(folder))
    return dict(zip(classes, there, strict=True))


def draw_model(
    folder: Path,
    classes: range,
    count: int,
    *,
    seed: int,
    batch: int,
    names: Sequence[str] | None = None,
) -> tuple[Iterator[Rows], dict[str, Any]]:
    """Draw images of a model on disk, with the z that its card asks for; see `draw`.

    Args:
        folder: the model, with card.json: its ``truncation`` is that of z.
        classes: class indices.
        count: images a class.
        seed: the run's seed.
        batch: images a forward pass.
        names: the names of the run's classes, in the order of the class index, by which the model
            is asked. None: `classes` are the model's own labels.

    Returns:
        what `draw` yields, and its provenance.

    Raises:
        FileNotFoundError, ValueError: see `load_generator` and `labels_in_model`; or the model has
            fewer classes.
    """
    card = read_card(folder)
    recipe = card["generator"]
    there = None if names is None else labels_in_model(folder, card, names, classes)
    if there is None and classes.stop > recipe["classes"]:
        raise ValueError(
            f"{folder} knows {recipe['classes']} classes, but class {classes.stop - 1} is asked for"
        )
    settings = {"seed": seed, "truncation": card["truncation"], "batch": batch}
    options = settings | {"z_dim": recipe["z_dim"], "labels_there": there}
    rows = draw(load_generator(folder), classes, count, **options)
    return rows, settings | {"generator": card["sha256"]}
