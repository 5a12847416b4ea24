"""Does a generator repeat its training images? Authenticity, and a detector of copies.

Distances are between features: what the extractor does not see is not compared.
"""

import numpy as np

from tinygan.metrics.distances import BLOCK, square_distances
from tinygan.metrics.moments import check_dimensions, checked

# Of Carlini et al.: how many neighbours say what is near, around an image.
NEIGHBOURS = 50
# They count images below 1/2. That also counts 0.7 % of other real images (of the preset mini, in
# features of EfficientNet-Lite0), and this 0.05 %; nearly exact copies are far below both.
THRESHOLD = 0.4


def authentic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which images x are authentic (Alaa et al., ICML 2022, section 3).

    With y_j the real image nearest to x_i, x_i is authentic if another real image is nearer to y_j
    than x_i is: min_{l != j} |y_j - y_l| < |x_i - y_j|. The share of authentic images, in percent,
    is the AuthPct of Stein et al. (NeurIPS 2023). It depends on the number of real images.

    A perfect generator does not have a share of 1: as many samples as real images of one normal
    distribution have 0.33 in one dimension, 0.6 in ten and 0.8 in 64. Compare with real images.

    Args:
        x: features of generated images [n, d].
        y: features of real images [m, d], m >= 2.

    Returns:
        bool [n].

    Raises:
        ValueError: too few images, NaN or infinity, unequal dimensions.
    """
    x, y = checked(x), checked(y, least=2)
    check_dimensions(x.shape[1], y.shape[1])
    nearest = np.empty(len(x), dtype=np.int64)
    for rows, squares in square_distances(x, y, BLOCK):
        nearest[rows] = squares.argmin(axis=1)
    chosen, index = np.unique(nearest, return_inverse=True)
    theirs = np.empty(len(chosen), dtype=np.int64)
    for rows, squares in square_distances(y[chosen], y, BLOCK):
        squares[np.arange(len(squares)), chosen[rows]] = np.inf
        theirs[rows] = squares.argmin(axis=1)
    # Measured directly: exactly zero for equal features, which the expanded square is not.
    radii = np.linalg.norm(y[chosen] - y[theirs], axis=1)
    return radii[index] < np.linalg.norm(x - y[nearest], axis=1)


def copy_ratios(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the distance of each x to its nearest real image, over what is usual around there.

    The adaptive distance of Carlini et al. (USENIX Security 2023, section 5.1), without their
    constant factor: with |x_i - y|_(1) <= |x_i - y|_(2) <= ... the distances of x_i to the real
    images, it is |x_i - y|_(1) / mean_{r <= k} |x_i - y|_(r), k = 50. Zero for an exact copy, near
    1 where no real image is much nearer than the next ones. A real image that occurs twice has
    copies all the same, which a ratio to its own nearest neighbour would miss.

    Args:
        x: features of generated images [n, d], n >= 0.
        y: features of real images [m, d]; k is m if there are fewer than 50.

    Returns:
        float64 [n], in [0, 1]; 0 where all k distances are zero.

    Raises:
        ValueError: no real images, NaN or infinity, unequal dimensions.
    """
    x, y = checked(x, least=0), checked(y)
    check_dimensions(x.shape[1], y.shape[1])
    k = min(NEIGHBOURS, len(y))
    ratios = np.zeros(len(x))
    for rows, squares in square_distances(x, y, BLOCK):
        squares.partition(k - 1, axis=1)
        distances = np.sqrt(squares[:, :k])
        means = distances.mean(axis=1)
        np.divide(distances.min(axis=1), means, out=ratios[rows], where=means > 0)
    return ratios


def are_copies(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return bool [n], which images x copy a real image y: `copy_ratios` below `THRESHOLD`."""
    return copy_ratios(x, y) < THRESHOLD
