"""Run an extractor over batches of images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

import numpy as np
from tqdm import tqdm

from tinygan.code import names_in
from tinygan.features.extractor import Extractor
from tinygan.features.files import Features

# The graph of the published scores.
INCEPTION_GRAPH = "asset:inception-graph"


@contextmanager
def open_extractor(
    name: str,
    *,
    input_size: int,
    threads: int,
    graph: str = INCEPTION_GRAPH,
    device: str = "cpu",
) -> Iterator[Extractor]:
    """Open an extractor; its resources are released at the end of the block.

    Args:
        name: one of the modules in `tinygan.features.extractors`.
        input_size: height and width of the network's input in pixels; inception_tf always has 299.
        threads: CPU threads; for efficientnet_lite0 those of PyTorch, set for the whole process.
        graph: asset, file or URL of inception_tf's frozen graph, see `inception_tf.open_inception`.
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU if there is one.

    Raises:
        ValueError: there is no such extractor, a number is not positive, or the weights are not the
            expected ones, or there is no such device.
        FileNotFoundError, OSError, RuntimeError: see `inception_tf.open_inception`.
    """
    if min(input_size, threads) < 1:
        raise ValueError(f"input size {input_size} and threads {threads} must be at least 1")
    check_name(name)
    module = import_module(f"tinygan.features.extractors.{name}")
    options = {"input_size": input_size, "threads": threads, "graph": graph, "device": device}
    with module.open_extractor(**options) as extractor:
        yield extractor


def check_name(name: str) -> None:
    """Refuse, with ValueError, a name that is not an extractor's."""
    names = names_in("tinygan.features.extractors")
    if name not in names:
        raise ValueError(f"there is no extractor {name!r}; choose one of {', '.join(names)}")


def extract(
    images: Sequence[np.ndarray] | np.ndarray,
    extractor: Extractor,
    *,
    batch: int,
    progress: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Run an extractor on images.

    Args:
        images: uint8 [N, H, W, 3], N > 0, may be memory-mapped; or a sequence of N arrays
            [H, W, 3] of any sizes whose slices are lists of arrays. One batch is read at a time.
        extractor: the extractor, see `open_extractor`.
        batch: images per batch; the result does not depend on it, up to rounding.
        progress: title of the progress bar; None for no bar.

    Returns:
        features float32 [N, D] and logits float32 [N, K]; K is 0 without a classifier.

    Raises:
        ValueError: there are no images, or of another type or shape; or batch is not positive.
    """
    if batch < 1:
        raise ValueError(f"batch {batch} must be at least 1")
    if not len(images):
        raise ValueError("images must be uint8 [N, H, W, 3] with N > 0, but there are none")
    parts = []
    with tqdm(total=len(images), desc=progress, unit="image", disable=progress is None) as bar:
        for start in range(0, len(images), batch):
            parts.append(_run_batch(images[start : start + batch], extractor))
            bar.update(len(parts[-1][0]))
    features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    return features, logits


def _run_batch(
    images: Sequence[np.ndarray] | np.ndarray, extractor: Extractor
) -> tuple[np.ndarray, np.ndarray]:
    """Run the extractor on images of any sizes, grouped by size."""
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"images must be uint8 [H, W, 3], not {image.dtype} {image.shape}")
    shapes = [image.shape for image in images]
    rows, parts = [], []
    for shape in dict.fromkeys(shapes):
        same = [i for i, other in enumerate(shapes) if other == shape]
        rows += same
        features, logits = extractor.run(np.stack([images[i] for i in same]))
        parts.append((features, np.empty((len(same), 0), np.float32) if logits is None else logits))
    order = np.argsort(rows)
    features, logits = (np.concatenate(part)[order] for part in zip(*parts, strict=True))
    return features, logits


def features_of(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    input_size: int,
    batch: int,
    threads: int,
    extractor: str = "efficientnet_lite0",
    graph: str = INCEPTION_GRAPH,
    progress: str | None = None,
    class_names: Mapping[int, str] | None = None,
    device: str = "cpu",
) -> Features:
    """Open an extractor (see `open_extractor`), and run it on labelled images (see `extract`).

    Args:
        images: uint8 [N, H, W, 3].
        labels: class indices [N].
        input_size, threads, extractor, graph, device: see `open_extractor`.
        batch, progress: see `extract`.
        class_names: the name of each label, see `Features`.
    """
    options = {"input_size": input_size, "threads": threads, "graph": graph, "device": device}
    with open_extractor(extractor, **options) as opened:
        features, logits = extract(images, opened, batch=batch, progress=progress)
        labels = np.array(labels, dtype=np.int64)
        identity = opened.name, opened.sha256, opened.input_size
        return Features(features, logits, labels, *identity, class_names)
