"""Kernel Inception Distance (Binkowski et al., ICLR 2018)."""

from collections.abc import Iterator

import numpy as np

from tinygan.metrics.jackknife import TooFewSamples
from tinygan.metrics.kernel_sums import kernel_sums, without_each
from tinygan.metrics.moments import check_dimensions, checked

# Rows of a kernel matrix in memory at a time.
BLOCK = 1000


def kid(x: np.ndarray, y: np.ndarray) -> float:
    """Return KID(x, y), the unbiased estimate of the squared maximum mean discrepancy.

    With k(a, b) = (a'b / d + 1)^3,

        KID = sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1))
              - 2 sum_{i, j} k(x_i, y_j) / (n m).

    The usual mean over random subsets has the same expectation; using all pairs has the least
    variance and needs no random numbers. The estimate is unbiased, so it may be negative near zero.

    Args:
        x: features [n, d], n >= 2.
        y: features [m, d], m >= 2.

    Raises:
        ValueError: fewer than 2 samples, NaN or infinity, unequal dimensions.
    """
    within, across, rest = _sums(x, y, np.zeros(len(x), dtype=np.int64))
    return float(_estimate(within.sum(), across.sum(), rest, len(x), len(y)))


def kid_jackknife(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[float, np.ndarray]:
    """Return KID(x, y), and KID without each group of x in turn (see `jackknife`).

    Every kernel value is computed once; memory is bounded by `BLOCK` rows.

    Args:
        x: features [n, d].
        y: features [m, d].
        groups: int [n], the group of each sample, 0 to G - 1; at least 2 samples outside each.

    Returns:
        the score, and float64 [G], the scores without one group.

    Raises:
        ValueError: see `kid`.
        TooFewSamples: fewer than 2 samples are outside a group.
    """
    within, across, rest = _sums(x, y, groups)
    left = len(x) - np.bincount(groups)
    if left.min() < 2:
        raise TooFewSamples(f"{len(x)} samples are too few for their groups; compute more")
    return (
        float(_estimate(within.sum(), across.sum(), rest, len(x), len(y))),
        _estimate(without_each(within), across.sum() - across, rest, left, len(y)),
    )


def _estimate(
    within: np.ndarray, across: np.ndarray, rest: float, n: np.ndarray | int, m: int
) -> np.ndarray:
    return within / (n * (n - 1)) + rest - 2 * across / (n * m)


def _sums(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the sums of k(x_i, x_j), i != j, per pair of groups [G, G], the sums of k(x_i, y_j)
    per group of x_i [G], and the mean of k(y_i, y_j), i != j."""
    x, y = checked(x, least=2), checked(y, least=2)
    check_dimensions(x.shape[1], y.shape[1])
    member, all_y = np.eye(groups.max() + 1)[groups], np.ones((len(y), 1))
    within = kernel_sums(_blocks(x, x), member, member) - np.diag(member.T @ _diagonal(x))
    across = kernel_sums(_blocks(x, y), member, all_y)[:, 0]
    rest = kernel_sums(_blocks(y, y), all_y, all_y).item() - _diagonal(y).sum()
    return within, across, rest / (len(y) * (len(y) - 1))


def _blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield k(a_i, b_j), `BLOCK` rows at a time."""
    for start in range(0, len(a), BLOCK):
        rows = slice(start, start + BLOCK)
        yield rows, (a[rows] @ b.T / a.shape[1] + 1) ** 3


def _diagonal(a: np.ndarray) -> np.ndarray:
    """Return k(a_i, a_i), [n]."""
    return (np.square(a).sum(axis=1) / a.shape[1] + 1) ** 3
