"""Features of images, and the files that hold them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from tinygan.files import atomic_file, sha256
from tinygan.metrics import efficientnet_lite

ARRAYS = ("features", "logits", "labels", "extractor", "extractor_sha256")


@dataclass(frozen=True)
class Features:
    """What an extractor makes of a set of images, one row an image, in order of class.

    Attributes:
        features: float32 [N, D].
        logits: float32 [N, K], of the extractor's own K classes.
        labels: int64 [N], class indices of the run.
        extractor: the extractor's name.
        extractor_sha256: SHA-256 of its weight file.

    Raises:
        ValueError: the arrays do not have these shapes, or there are no images.
    """

    features: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    extractor: str
    extractor_sha256: str

    def __post_init__(self) -> None:
        shapes = [a.shape for a in (self.features, self.logits, self.labels)]
        if [len(shape) for shape in shapes] != [2, 2, 1] or len({s[0] for s in shapes}) != 1:
            raise ValueError(f"features, logits and labels must be [N, D], [N, K], [N]: {shapes}")
        if not len(self):
            raise ValueError("features of no images at all")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """Return the rows that an index array or a boolean mask [N] names."""
        return replace(
            self,
            features=self.features[rows],
            logits=self.logits[rows],
            labels=self.labels[rows],
        )

    def check_comparable(self, other: "Features") -> None:
        """Refuse, with ValueError, features of another extractor or of other dimensions."""
        ours, theirs = (
            (f.extractor, f.extractor_sha256, f.features.shape[1], f.logits.shape[1])
            for f in (self, other)
        )
        if ours != theirs:
            raise ValueError(
                "features of different extractors cannot be compared: "
                "(name, sha256, dimensions, classes) is "
                f"{ours} here and {theirs} there; compute both with one extractor"
            )


def extract(
    images: np.ndarray, *, side: int, batch: int, threads: int, progress: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Run EfficientNet-Lite0 on images, resized to `side` x `side`.

    The resize is torch's bilinear interpolation of float pixels in [0, 255] with
    align_corners=False and antialias=False: shrinking by more than two skips pixels. Nothing is
    rounded after it. Images that have this side already are left as they are.

    Args:
        images: uint8 [N, H, W, 3], N > 0; may be memory-mapped, one batch is read at a time.
        side: px, height and width that the extractor sees.
        batch: images a forward pass; the result does not depend on it, up to rounding.
        threads: CPU threads of torch, for the whole process from here on.
        progress: title of the progress bar; None for no bar.

    Returns:
        features float32 [N, 1280] and logits float32 [N, 1000].

    Raises:
        ValueError: images of another type or shape, or a count that is not positive.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ValueError(f"images must be uint8 [N, H, W, 3], not {images.dtype} {images.shape}")
    if min(side, batch, threads) < 1:
        raise ValueError(f"side {side}, batch {batch} and threads {threads} must be at least 1")
    torch.set_num_threads(threads)
    model, _ = efficientnet_lite.load()
    features = np.empty((len(images), efficientnet_lite.FEATURES), np.float32)
    logits = np.empty((len(images), efficientnet_lite.LOGITS), np.float32)
    with (
        torch.inference_mode(),
        tqdm(total=len(images), desc=progress, unit="image", disable=progress is None) as bar,
    ):
        for start in range(0, len(images), batch):
            # NHWC seen as NCHW is channels-last already; the copy is for read-only memory maps.
            pixels = torch.from_numpy(np.array(images[start : start + batch])).permute(0, 3, 1, 2)
            resized = F.interpolate(
                pixels.float(), (side, side), mode="bilinear", align_corners=False, antialias=False
            )
            rows = slice(start, start + len(pixels))
            features[rows], logits[rows] = (out.numpy() for out in model(resized))
            bar.update(len(pixels))
    return features, logits


def features_of(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    side: int,
    batch: int,
    threads: int,
    progress: str | None = None,
) -> Features:
    """Run `extract` on images and put its result together with their labels [N]."""
    features, logits = extract(images, side=side, batch=batch, threads=threads, progress=progress)
    digest = sha256(efficientnet_lite.weights_file())
    labels = np.array(labels, dtype=np.int64)
    return Features(features, logits, labels, efficientnet_lite.NAME, digest)


def write_features(path: Path, features: Features) -> None:
    """Write features as one npz file with the arrays of `Features`, whole or not at all."""
    arrays = {name: np.asarray(getattr(features, name)) for name in ARRAYS}
    with atomic_file(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays)


def read_features(paths: Iterable[Path]) -> Features:
    """Read the feature files of one source, in ascending order of class whatever theirs is.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: no file is given, one is damaged, a class is in two of them, or their extractors
            or dimensions differ.
    """
    parts = [(path, _read(path)) for path in paths]
    if not parts:
        raise ValueError("no feature file is given")
    parts.sort(key=lambda part: int(part[1].labels.min()))
    first = parts[0][1]
    seen: dict[int, Path] = {}
    for path, part in parts:
        try:
            first.check_comparable(part)
        except ValueError as error:
            raise ValueError(f"{parts[0][0]} and {path}: {error}") from error
        for label in np.unique(part.labels).tolist():
            if label in seen:
                raise ValueError(f"class {label} is in {seen[label]} and in {path}")
            seen[label] = path
    joined = {
        name: np.concatenate([getattr(part, name) for _, part in parts])
        for name in ("features", "logits", "labels")
    }
    return replace(first, **joined)


def _read(path: Path) -> Features:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
        names = {name: str(arrays.pop(name)) for name in ("extractor", "extractor_sha256")}
        return Features(**arrays, **names)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, AttributeError, TypeError, BadZipFile) as error:
        raise ValueError(f"{path} is not a whole feature file ({error}); make it again") from error
