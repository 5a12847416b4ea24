"""Precision and recall (Kynkaanniemi et al., NeurIPS 2019), density and coverage (Naeem et al.,
ICML 2020)."""

import numpy as np

from tinygan.metrics.distances import BLOCK, square_distances
from tinygan.metrics.jackknife import TooFewSamples
from tinygan.metrics.moments import check_dimensions, checked

NAMES = ("precision", "recall", "density", "coverage")


def prdc(x: np.ndarray, y: np.ndarray, k: int) -> dict[str, float]:
    """Compare images x with real images y by balls around each image out to its k-th neighbour.

    Let R(a) be the distance from a to its k-th nearest neighbour in its own set, itself excluded.

        precision = share of x_i with |x_i - y_j| <= R(y_j) for some j
        recall    = share of y_j with |y_j - x_i| <= R(x_i) for some i
        density   = sum_{i, j} [|x_i - y_j| <= R(y_j)] / (k n)
        coverage  = share of y_j with |x_i - y_j| <= R(y_j) for some i

    All are in [0, 1], except density, which may exceed 1. Recall and coverage depend on n: compare
    them at equal n only.

    Args:
        x: features [n, d], n > k.
        y: features [m, d], m > k.
        k: number of nearest neighbours.

    Returns:
        the value of each score in `NAMES`.

    Raises:
        ValueError: k below 1 or too few samples for it, NaN or infinity, unequal dimensions.
    """
    values = _prdc(x, y, k, np.ones((len(x), 1), dtype=bool))
    return dict(zip(NAMES, values[:, 0].tolist(), strict=True))


def prdc_jackknife(
    x: np.ndarray, y: np.ndarray, k: int, groups: np.ndarray
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return `prdc`, and its values without each group of x in turn (see `jackknife`).

    Args:
        x: features [n, d].
        y: features [m, d].
        k: number of nearest neighbours; more than k samples are outside each group.
        groups: int [n], the group of each sample, 0 to G - 1.

    Returns:
        the four values, and for each one float64 [G], the values without one group.

    Raises:
        ValueError: see `prdc`.
        TooFewSamples: at most k samples are outside a group.
    """
    others = groups[:, None] != np.arange(groups.max() + 1)
    values = _prdc(x, y, k, np.column_stack([np.ones(len(x), dtype=bool), others]))
    whole = dict(zip(NAMES, values[:, 0].tolist(), strict=True))
    return whole, dict(zip(NAMES, values[:, 1:], strict=True))


def _prdc(x: np.ndarray, y: np.ndarray, k: int, subsets: np.ndarray) -> np.ndarray:
    """Return the four values [4, S] for S subsets of x, given as boolean masks [n, S]."""
    if k < 1:
        raise ValueError(f"the number of nearest neighbours must be at least 1, not {k}")
    x, y = (checked(a, least=k + 1) for a in (x, y))
    check_dimensions(x.shape[1], y.shape[1])
    count = subsets.sum(axis=0)
    if count.min() <= k:
        raise TooFewSamples(f"{len(x)} samples are too few for their groups; compute more")
    y_radius = _radii(y, k, np.ones((len(y), 1), dtype=bool))[0]
    # The ball of an image outside the subset is empty.
    x_radii = np.where(subsets.T, _radii(x, k, subsets), -np.inf)
    member = subsets.astype(np.float64)
    hits, recalled, covered = np.zeros(len(x)), np.zeros(len(count)), np.zeros(len(count))
    for rows, squares in square_distances(y, x, BLOCK):
        inside = squares <= y_radius[rows, None]
        hits += inside.sum(axis=0)
        recalled += [(squares <= radius).any(axis=1).sum() for radius in x_radii]
        covered += (inside @ member > 0).sum(axis=0)
    precision = (hits > 0) @ member / count
    density = hits @ member / (k * count)
    return np.vstack([precision, recalled / len(y), density, covered / len(y)])


def _radii(a: np.ndarray, k: int, subsets: np.ndarray) -> np.ndarray:
    """Return the squared distance [S, n] of each a to its k-th neighbour in each subset [n, S]."""
    radii = np.empty((subsets.shape[1], len(a)))
    for rows, squares in square_distances(a, a, BLOCK):
        squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = np.inf
        for radius, mask in zip(radii, subsets.T, strict=True):
            candidates = squares[:, mask]
            candidates.partition(k - 1, axis=1)
            radius[rows] = candidates[:, k - 1]
    return radii
