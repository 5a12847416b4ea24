"""The share of images that have a property, with its confidence interval."""

import numpy as np
from scipy.special import ndtri

from tinygan.metrics.jackknife import LEVEL, Interval


def share_with_interval(hits: int, n: int) -> tuple[float, Interval]:
    """Return the share of images that have a property, and Wilson's 95 % interval of it.

    With n images, share p and z the normal quantile, its ends are

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).

    The jackknife would give an interval of width zero where no image, or every one, is found.

    Args:
        hits: how many have it.
        n: of how many images, drawn independently; above 0.
    """
    p = hits / n
    z = float(ndtri((1 + LEVEL) / 2))
    centre = p + z**2 / (2 * n)
    half = z * float(np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)))
    low, high = ((centre + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    # Rounding may put an end that is equal to the share on its wrong side.
    return p, (min(low, p), max(high, p))
