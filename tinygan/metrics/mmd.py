"""Maximum mean discrepancy with a Gaussian kernel, as CMMD defines it (Jayasumana et al., CVPR
2024), on features of any extractor.

The number is NOT a CMMD unless the features are those of CLIP ViT-L/14 at 336 px.
"""

from collections.abc import Iterator

import numpy as np

from tinygan.metrics.distances import BLOCK, square_distances, unit_rows
from tinygan.metrics.jackknife import TooFewSamples
from tinygan.metrics.kernel_sums import kernel_sums, without_each
from tinygan.metrics.moments import check_dimensions

# Of the paper: the bandwidth of the kernel, and a factor that makes the numbers readable.
SIGMA, SCALE = 10.0, 1000.0


def mmd_rbf(x: np.ndarray, y: np.ndarray) -> float:
    """Return 1000 MMD^2(x, y), the biased (minimum-variance) estimate.

    With k(a, b) = exp(-|a - b|^2 / (2 sigma^2)), sigma = 10, and every feature divided by its
    length, as the authors' code does with CLIP's,

        MMD^2 = mean_{i, j} k(x_i, x_j) + mean_{i, j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j),

    where the means include i = j. On the unit sphere |a - b| <= 2, so the kernel stays above 0.98
    and is nearly linear in |a - b|^2: the score is close to 10 |m_x - m_y|^2, with m the means of
    the directions. It hardly sees a difference that leaves the mean in place. Being biased, it is
    positive for two samples of one distribution, by about 10 (1 - |m|^2) (1 / n + 1 / m).

    Args:
        x: features [n, d].
        y: features [m, d].

    Raises:
        ValueError: no samples, NaN or infinity, unequal dimensions.
    """
    within, across, rest = _sums(x, y, np.zeros(len(x), dtype=np.int64))
    return float(_estimate(within.sum(), across.sum(), rest, len(x), len(y)))


def mmd_rbf_jackknife(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[float, np.ndarray]:
    """Return `mmd_rbf`, and its values without each group of x in turn (see `jackknife`).

    Args:
        x: features [n, d].
        y: features [m, d].
        groups: int [n], the group of each sample, 0 to G - 1.

    Returns:
        the score, and float64 [G], the scores without one group.

    Raises:
        ValueError: see `mmd_rbf`.
        TooFewSamples: no samples are outside a group.
    """
    within, across, rest = _sums(x, y, groups)
    left = len(x) - np.bincount(groups)
    if not left.min():
        raise TooFewSamples(f"{len(x)} samples are too few for their groups; compute more")
    return (
        float(_estimate(within.sum(), across.sum(), rest, len(x), len(y))),
        _estimate(without_each(within), across.sum() - across, rest, left, len(y)),
    )


def _estimate(
    within: np.ndarray, across: np.ndarray, rest: float, n: np.ndarray | int, m: int
) -> np.ndarray:
    # The sums are of k - 1, which loses no digits to the ones: they cancel in MMD^2.
    return SCALE * (within / n**2 + rest - 2 * across / (n * m))


def _sums(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the sums of k(x_i, x_j) - 1 per pair of groups [G, G] and of k(x_i, y_j) - 1 per group
    of x_i [G], and the mean of k(y_i, y_j) - 1."""
    x, y = unit_rows(x), unit_rows(y)
    check_dimensions(x.shape[1], y.shape[1])
    member, all_y = np.eye(groups.max() + 1)[groups], np.ones((len(y), 1))
    within = kernel_sums(_blocks(x, x), member, member)
    across = kernel_sums(_blocks(x, y), member, all_y)[:, 0]
    return within, across, kernel_sums(_blocks(y, y), all_y, all_y).item() / len(y) ** 2


def _blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield k(a_i, b_j) - 1, `BLOCK` rows at a time."""
    for rows, squares in square_distances(a, b, BLOCK):
        yield rows, np.expm1(squares / (-2 * SIGMA**2))
