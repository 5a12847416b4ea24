"""Check a teacher's images before the harvest, for errors that would show only after training."""

import sys
from collections.abc import Sequence

import numpy as np

from tinygan.seeding import draw_z, stream
from tinygan.teacher import Teacher

_CLASSES = 4  # classes to try at most, spread over those of the run


def check_teacher(
    teacher: Teacher, handle: str, *, classes: int, z_dim: int, truncation: float | None, batch: int
) -> None:
    """Call a teacher with a few classes, two z each, in full batches, and check its images.

    What is suspicious but possible, such as dark images, is a warning on standard error.

    Args:
        teacher: see `tinygan.teacher`.
        handle: its name, for messages.
        classes: number of the run's classes.
        z_dim: length of z.
        truncation: the run's truncation.
        batch: batch size; every call has exactly that many rows.

    Raises:
        ValueError: all values are 0 and 1 or all are 128 to 255, all images are the same, or they
            do not depend on z or on the class.
    """
    labels = np.unique(np.linspace(0, classes - 1, min(classes, _CLASSES)).round().astype(np.int64))
    z = draw_z(stream(0, "teacher/trial"), 2, z_dim, truncation)
    # Every class with the first z, then every class with the second.
    rows_z, rows_y = np.repeat(z, len(labels), axis=0), np.tile(labels, 2)
    images = _call(teacher, rows_z, rows_y, truncation, batch)
    images, copies = np.split(images, [len(rows_y)])
    if problem := _problem(images.reshape(2, len(labels), *images.shape[1:])):
        raise ValueError(f"teacher {handle}: {problem}")
    for warning in _warnings(images, same=bool((copies == images[0]).all())):
        print(f"tinygan: warning: teacher {handle}: {warning}", file=sys.stderr)


def _call(
    teacher: Teacher, z: np.ndarray, y: np.ndarray, truncation: float | None, batch: int
) -> np.ndarray:
    """Return the images of all rows, and of the copies of row 0 that fill the last batch."""
    parts = []
    for start in range(0, len(y), batch):
        rows = np.arange(start, start + batch)
        rows[rows >= len(y)] = 0
        parts.append(teacher(z[rows], y[rows], truncation))
    return np.concatenate(parts)


def _problem(images: np.ndarray) -> str:
    """Describe what is certainly wrong with images [2 z, classes, H, W, 3]; empty if nothing."""
    low, high = int(images.min()), int(images.max())
    if (images == images[0, 0]).all():
        return (
            f"the same image for every z and class ({_values(low, high)}); check that its "
            "weights are loaded and that it uses z and y"
        )
    if high <= 1:
        return (
            "its images have only the values 0 and 1: these are floats in [0, 1] cast to bytes; "
            "multiply them by 255 first"
        )
    if low >= 128:
        return (
            f"its images have only {_values(low, high)}: floats in [0, 1] were treated as [-1, 1]; "
            "convert images x in [0, 1] with (x * 255).astype(np.uint8)"
        )
    if (images[0] == images[1]).all():
        return "its images do not depend on z: two z give the same image in every class tried"
    if images.shape[1] > 1 and (images == images[:, :1]).all():
        return "its images do not depend on the class: one z gives the same image in all of them"
    return ""


def _warnings(images: np.ndarray, same: bool) -> Sequence[str]:
    """Describe what may be intended, but rarely is.

    Args:
        images: uint8 [N, H, W, 3].
        same: whether the same input gave the same image.
    """
    warnings, high = [], int(images.max())
    if high < 128:
        warnings.append(f"its images have only {_values(int(images.min()), high)} of 0 to 255")
    if (np.ptp(images, axis=(1, 2)) == 0).all():
        warnings.append("each of its images has a single colour")
    if not same:
        warnings.append(
            "the same z and class give different images, so the harvest cannot be reproduced; "
            "do not draw random numbers in it, and put its network into evaluation mode"
        )
    return warnings


def _values(low: int, high: int) -> str:
    return f"the value {low}" if low == high else f"values from {low} to {high}"
