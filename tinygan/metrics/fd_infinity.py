"""The FID of infinitely many samples, by extrapolation (Chong and Forsyth, CVPR 2020)."""

import numpy as np

from tinygan.metrics.fid import Coupling, Gaussian

# Of the paper: how many FIDs, from a tenth of the samples (5,000 of 50,000) up to all.
POINTS, SMALLEST = 15, 0.1
# No subset is smaller than this, or than half the samples where there are few.
FEWEST = 10
# Of each FID, see `Coupling.distance`: far below what the drawing of the subsets leaves uncertain.
PRECISION = 1e-6


def fd_infinity(x: np.ndarray, y: Gaussian, rng: np.random.Generator) -> float | None:
    """Return the intercept of the straight line through FIDs over 1 / N.

    The FID of N samples exceeds that of infinitely many by c / N, up to higher orders, with a c
    that differs between models. As in the authors' code, N takes 15 values at equal steps, each FID
    is of N samples drawn without replacement, anew for each N, and the line is by least squares. So
    it may be negative near zero.

    The straight line holds where the smallest N is not far below d. With fewer samples than
    dimensions it bends, and the intercept is still too high, though less so than the FID. The real
    images are taken as given, so their number matters as for the FID.

    Args:
        x: features [n, d].
        y: the Gaussian of the real images.
        rng: draws the samples.

    Returns:
        the intercept; None for fewer than 3 samples, which have no two subsets.

    Raises:
        ValueError: see `frechet_distance`.
    """
    if len(x) < 3:
        return None
    counts, coupling = subset_sizes(len(x)), Coupling.of(x, y)
    subsets = (coupling.take(x, rng.permutation(len(x))[:count]) for count in counts)
    fids = [subset.distance(PRECISION) for subset in subsets]
    return float(np.polyfit(1 / counts, fids, 1)[1])


def subset_sizes(n: int) -> np.ndarray:
    """Return the values of N for n >= 3 samples, ascending; fewer than `POINTS` for small n."""
    smallest = max(int(n * SMALLEST), min(FEWEST, n // 2 + 1))
    return np.unique(np.linspace(smallest, n, POINTS).astype(np.int64))
