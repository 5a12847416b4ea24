"""The paths of interpolations between latent vectors and classes (section 5.6, Figure 10).

A path goes from (z_1, y_1) to (z_2, y_2) in even steps:

    z(t) = (1 - t) z_1 + t z_2,   E(t) = (1 - t) E(y_1) + t E(y_2),   t = 0, 1/steps, ..., 1

There are three kinds: ``both`` as above, ``y`` with z_1 = z_2, and ``z`` with y_1 = y_2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STEPS = 32
# The number of paths of each kind. Figure 10 shows the first ones, the measure is over y and z.
COUNTS = {"both": 1, "y": 20, "z": 20}


@dataclass(frozen=True)
class LatentPath:
    """One interpolation.

    Attributes:
        kind: ``both``, ``y`` or ``z``.
        index: its number among the paths of its kind, from 0.
        classes: class indices of the two ends.
        z: float32 [2, z_dim], the latent vectors of the two ends.
    """

    kind: str
    index: int
    classes: tuple[int, int]
    z: np.ndarray


def draw_paths(
    seed: int,
    classes: int,
    z_dim: int,
    truncation: float | None,
    counts: Mapping[str, int] = COUNTS,
) -> list[LatentPath]:
    """Draw the ends of all paths; each depends on the seed, its kind and its index alone.

    Args:
        seed: the run's seed.
        classes: number of classes. With one class there are paths of kind ``z`` only.
        z_dim: length of z.
        truncation: scale of z, see `tinygan.seeding.draw_z`.
        counts: the number of paths of each kind.
    """
    return [
        _draw_path(seed, kind, index, classes, z_dim, truncation)
        for kind, count in counts.items()
        if classes > 1 or kind == "z"
        for index in range(count)
    ]


def _draw_path(
    seed: int, kind: str, index: int, classes: int, z_dim: int, truncation: float | None
) -> LatentPath:
    # Here, because the environment that runs Snakemake, which reads COUNTS, has no SciPy.
    from tinygan.seeding import draw_z, stream

    z = draw_z(stream(seed, f"interpolation/{kind}/z", index), 2, z_dim, truncation)
    rng = stream(seed, f"interpolation/{kind}/class", index)
    if kind == "z":
        first = last = rng.integers(classes)
    else:
        first, last = rng.choice(classes, 2, replace=False)
    if kind == "y":
        z[1] = z[0]
    return LatentPath(kind, index, (int(first), int(last)), z)


def points(path: LatentPath, classes: int, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a path, both ends included.

    Args:
        path: the path.
        classes: number of classes.
        steps: number of steps.

    Returns:
        z float32 [steps + 1, z_dim], and the weights of the classes, float32 [steps + 1, classes],
        whose rows sum to 1.
    """
    # In float64, so that what is equal at both ends is exactly so between them.
    t = np.linspace(0, 1, steps + 1)[:, None]
    first, last = np.eye(classes)[list(path.classes)]
    z = (1 - t) * path.z[0] + t * path.z[1]
    weights = (1 - t) * first + t * last
    return z.astype(np.float32), weights.astype(np.float32)
