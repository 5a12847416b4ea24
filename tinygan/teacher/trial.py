"""A trial of the teacher before it is harvested: what would only show after the trainings."""

import sys
from collections.abc import Sequence

import numpy as np

from tinygan.seeding import stream, truncated_normal
from tinygan.teacher import Teacher

_CLASSES = 4  # at most, spread over the run's


def check_teacher(
    teacher: Teacher, handle: str, *, classes: int, z_dim: int, truncation: float, batch: int
) -> None:
    """Call a teacher with several classes, two z each, in full batches, and judge its images.

    Args:
        teacher: see `tinygan.teacher.tfhub.load_teacher`.
        handle: its name in messages.
        classes: number of the run's classes.
        z_dim: length of z.
        truncation: the run's.
        batch: images computed at once; it is called with exactly as many rows.

    Raises:
        ValueError: bytes of 0 and 1 or of 128 to 255 only, the same image throughout, or images
            that depend on z, or on the class, not at all.
    """
    labels = np.unique(np.linspace(0, classes - 1, min(classes, _CLASSES)).round().astype(np.int64))
    z = truncated_normal(stream(0, "teacher/trial"), 2, z_dim, truncation)
    # Rows: every class with the first z, then every class with the second.
    rows_z, rows_y = np.repeat(z, len(labels), axis=0), np.tile(labels, 2)
    images = _called(teacher, rows_z, rows_y, truncation, batch)
    images, copies = np.split(images, [len(rows_y)])
    if problem := _problem(images.reshape(2, len(labels), *images.shape[1:])):
        raise ValueError(f"teacher {handle}: {problem}")
    for doubt in _doubts(images, same=bool((copies == images[0]).all())):
        print(f"tinygan: warning: teacher {handle}: {doubt}", file=sys.stderr)


def _called(
    teacher: Teacher, z: np.ndarray, y: np.ndarray, truncation: float, batch: int
) -> np.ndarray:
    """Return the images of all rows, and of as many copies of row 0 as fill the last batch."""
    parts = []
    for start in range(0, len(y), batch):
        rows = np.arange(start, start + batch)
        rows[rows >= len(y)] = 0
        parts.append(teacher(z[rows], y[rows], truncation))
    return np.concatenate(parts)


def _problem(images: np.ndarray) -> str:
    """Return what is certainly wrong with images [2, classes, H, W, 3], two z of each class."""
    low, high = int(images.min()), int(images.max())
    if (images == images[0, 0]).all():
        return (
            f"the same image for every z and every class ({_values(low, high)}); check that its "
            "weights are loaded and that it uses z and y"
        )
    if high <= 1:
        return (
            "its images hold only the values 0 and 1: these are floats in [0, 1] cast to bytes; "
            "multiply them by 255 first"
        )
    if low >= 128:
        return (
            f"its images hold only {_values(low, high)}: floats in [0, 1] were taken for [-1, 1]; "
            "images x in [0, 1] become bytes by (x * 255).astype(np.uint8)"
        )
    if (images[0] == images[1]).all():
        return "its images do not depend on z: two z give the same image in every class tried"
    if images.shape[1] > 1 and (images == images[:, :1]).all():
        return "its images do not depend on the class: one z gives the same image in all of them"
    return ""


def _doubts(images: np.ndarray, same: bool) -> Sequence[str]:
    """Return what may be meant, but seldom is."""
    doubts, high = [], int(images.max())
    if high < 128:
        doubts.append(f"its images hold only {_values(int(images.min()), high)} of 0 to 255")
    if (np.ptp(images, axis=(1, 2)) == 0).all():
        doubts.append("each of its images is of a single colour")
    if not same:
        doubts.append(
            "the same z and class give different images, so that no harvest can be repeated; draw "
            "nothing at random in it, and put its network into evaluation mode"
        )
    return doubts


def _values(low: int, high: int) -> str:
    return f"the value {low}" if low == high else f"values from {low} to {high}"
