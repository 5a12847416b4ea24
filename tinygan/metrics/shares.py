"""The share of images that have a property, with its confidence interval."""

import numpy as np
from scipy.special import ndtri

from tinygan.metrics.jackknife import LEVEL, Interval


def share_with_interval(found: np.ndarray) -> tuple[float, Interval]:
    """Return the share of true values, and Wilson's 95 % interval of it.

    With n values, share p and z the normal quantile, its ends are

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).

    The jackknife would give an interval of width zero where no image, or every one, is found.

    Args:
        found: bool [n], n > 0, of images drawn independently.
    """
    n, p = len(found), float(np.mean(found))
    z = float(ndtri((1 + LEVEL) / 2))
    centre = p + z**2 / (2 * n)
    half = z * float(np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)))
    low, high = ((centre + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    return p, (max(low, 0.0), min(high, 1.0))
