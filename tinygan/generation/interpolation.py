"""The images of interpolations, see `tinygan.generation.paths`."""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from tinygan.generation.paths import STEPS, LatentPath, points
from tinygan.teacher import Mixtures


def interpolate(
    mixtures: Mixtures, paths: Sequence[LatentPath], classes: int, *, batch: int, steps: int = STEPS
) -> np.ndarray:
    """Draw the images of all points of all paths.

    Args:
        mixtures: see `tinygan.teacher.Mixtures`: a teacher's or a student's.
        paths: the paths.
        classes: number of classes.
        batch: batch size. Every batch is full, as in the harvest: the last one is padded.
        steps: steps per path.

    Returns:
        uint8 [paths, steps + 1, H, W, 3].
    """
    z, weights = map(
        np.concatenate, zip(*(points(path, classes, steps) for path in paths), strict=True)
    )
    batches = tqdm(list(_full_batches(len(z), batch)), desc="interpolate", unit="batch")
    images = np.concatenate([mixtures(z[rows], weights[rows]) for rows in batches])
    return images[: len(z)].reshape(len(paths), steps + 1, *images.shape[1:])


def _full_batches(count: int, batch: int) -> Iterator[np.ndarray]:
    """Yield the indices of rows in full batches; the last row fills the last batch."""
    for start in range(0, count, batch):
        yield np.minimum(np.arange(start, start + batch), count - 1)
