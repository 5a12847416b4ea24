"""Extract the features of images as they are drawn: the images themselves need no disk space."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygan.classes.by_name import Names
from tinygan.features.extract import extract, open_extractor
from tinygan.features.extractor import Extractor, environment_of
from tinygan.features.files import Features

# images uint8 [N, H, W, 3], labels int64 [N], and z float32 [N, z_dim] where they have one
Batch = Sequence[np.ndarray]


@contextmanager
def open_run_extractor(config: Mapping[str, Any], *, threads: int) -> Iterator[Extractor]:
    """Open the extractor of a run beside PyTorch; see `open_extractor`.

    With PyTorch on the GPU, TensorFlow may have none: the CUDA libraries of the two cannot be
    installed into one environment.
    """
    metrics, device = config["metrics"], config["device"]
    is_torch = environment_of(metrics["extractor"]) == "torch"
    with open_extractor(
        metrics["extractor"],
        input_size=metrics["input_size"],
        threads=threads,
        graph=metrics["inception_graph"],
        device=device if is_torch or device == "cpu" else "auto",
    ) as extractor:
        yield extractor


def stream_features(
    batches: Iterable[Batch], extractor: Extractor, batch: int, names: Names | None = None
) -> Features:
    """Return the features of images that are drawn batch by batch.

    The extractor gets batches of `batch` images, as it does from a shard. So features are those of
    stored images to the byte, however the images were drawn.

    Args:
        batches: the images.
        extractor: see `open_extractor`.
        batch: images per batch of the extractor.
        names: the name of each label, see `Features`.

    Raises:
        ValueError: there are no images.
    """
    parts, all_labels = [], []
    for images, labels in _regrouped(batches, batch):
        parts.append(extract(images, extractor, batch=batch))
        all_labels.append(labels)
    if not parts:
        raise ValueError("there are no images to extract features of")
    features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    labels = np.concatenate(all_labels)
    class_names = None if names is None else {y: names[y] for y in np.unique(labels).tolist()}
    identity = extractor.name, extractor.sha256, extractor.input_size
    return Features(features, logits, labels, *identity, class_names)


def _regrouped(batches: Iterable[Batch], size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images and labels of the same rows in batches of `size`; the last may be smaller."""
    pending: list[tuple[np.ndarray, np.ndarray]] = []
    count = 0
    for images, labels, *_ in batches:
        pending.append((images, labels.astype(np.int64)))
        count += len(labels)
        if count < size:
            continue
        images, labels = (np.concatenate(rows) for rows in zip(*pending, strict=True))
        whole = count - count % size
        for start in range(0, whole, size):
            yield images[start : start + size], labels[start : start + size]
        pending, count = [(images[whole:], labels[whole:])], count - whole
    if count:
        yield tuple(np.concatenate(rows) for rows in zip(*pending, strict=True))
