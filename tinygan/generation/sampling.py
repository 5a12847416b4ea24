"""Sample the images of a generator that are scored and shown."""

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

# images uint8 [N, H, W, 3], labels int64 [N], z float32 [N, z_dim]
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    model_labels: Mapping[int, int] | None = None,
) -> Iterator[Batch]:
    """Sample images of each class with the z of the teacher's evaluation split, batch by batch.

    Image i has the same (z, y) as image i of the teacher's shard. A batch has one class, so an
    image does not depend on how classes are split into jobs.

    Args:
        generator: in evaluation mode, on any device.
        classes: class indices.
        count: images per class.
        seed: the run's seed.
        z_dim: length of z.
        truncation: scale of z; None for a standard normal z.
        batch: batch size of the generator.
        model_labels: the generator's own label of each class index; None: the class index.

    Yields:
        images uint8 [N, H, W, 3], labels int64 [N], z float32 [N, z_dim], N <= batch.
    """
    device = next(generator.parameters()).device
    half_range = getattr(generator, "half_range", 128)
    for label in tqdm(list(classes), desc="sample", unit="class"):
        y = label if model_labels is None else model_labels[label]
        for z in latent_batches(seed, "evaluation", label, count, z_dim, truncation, batch):
            labels = torch.full((len(z),), y, device=device)
            images = generator(torch.from_numpy(z).to(device), labels)
            yield to_uint8(images, half_range), np.full(len(z), label), z


def labels_in_model(
    folder: Path, card: Mapping[str, Any], names: Sequence[str], classes: Sequence[int]
) -> dict[int, int]:
    """Return a model's own labels of some classes of the run, by name.

    Args:
        folder: the model, for messages.
        card: its card; ``classes`` has the names of its classes, in the order of its labels.
        names: the names of the run's classes, in the order of the class index.
        classes: class indices of the run.

    Returns:
        class index -> the model's label.

    Raises:
        ValueError: the card has no class names, or lacks one of the classes.
    """
    count = card["generator"]["classes"]
    if len(card.get("classes", [])) != count:
        raise ValueError(
            f"{folder}: its card.json does not name the {count} classes of the model, so they "
            "cannot be matched with those of the run: import it again with --classes, or add "
            f'"classes" to the card, a list of {count} names in the order of its labels'
        )
    wanted = [names[label] for label in classes]
    labels = match(card["classes"], wanted, what=str(folder))
    return dict(zip(classes, labels, strict=True))


def draw_model(
    folder: Path,
    classes: range,
    count: int,
    *,
    seed: int,
    batch: int,
    names: Sequence[str] | None = None,
    device: str = "cpu",
) -> tuple[Iterator[Batch], dict[str, Any]]:
    """Sample images of a model on disk, with z scaled as its card says; see `draw`.

    Args:
        folder: the model; ``truncation`` in its card.json is the scale of z.
        classes: class indices.
        count: images per class.
        seed: the run's seed.
        batch: batch size of the generator.
        names: the names of the run's classes, in the order of the class index: class indices are
            mapped to the model's labels, by name. None: `classes` are the model's own labels.
        device: see `tinygan.runtime.device_of`.

    Returns:
        what `draw` yields, and its provenance.

    Raises:
        FileNotFoundError, ValueError: see `load_generator` and `labels_in_model`; or the model has
            fewer classes.
    """
    card = read_card(folder)
    recipe = card["generator"]
    model_labels = None if names is None else labels_in_model(folder, card, names, classes)
    if model_labels is None and classes.stop > recipe["classes"]:
        raise ValueError(
            f"{folder} has {recipe['classes']} classes, but class {classes.stop - 1} is requested"
        )
    settings = {"seed": seed, "truncation": card["truncation"], "batch": batch}
    options = settings | {"z_dim": recipe["z_dim"], "model_labels": model_labels}
    batches = draw(load_generator(folder, device=device), classes, count, **options)
    return batches, settings | {"generator": card["sha256"]}
