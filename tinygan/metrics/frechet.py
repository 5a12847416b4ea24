"""Frechet distance between two sets of features, exact and without a matrix square root."""

import numpy as np
from scipy.linalg import svdvals


def _centred(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean [d] of x [N, d] and (x - mean) / sqrt(N - 1), both float64."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"features must be [N, d], not {list(x.shape)}")
    if len(x) < 2:
        raise ValueError(f"a covariance needs at least 2 samples, not {len(x)}; compute more")
    if not np.isfinite(x).all():
        raise ValueError("features hold NaN or infinity; check the images that they were made of")
    mean = x.mean(axis=0)
    return mean, (x - mean) / np.sqrt(len(x) - 1)


def mean_and_covariance(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean [d] and the covariance [d, d] (divisor N - 1) of features, in float64.

    Args:
        x: [N, d], N >= 2.

    Raises:
        ValueError: fewer than 2 samples, NaN or infinity, or not two-dimensional.
    """
    mean, centred = _centred(x)
    return mean, centred.T @ centred


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Return FID(x, y) = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) in float64 (section 5.2).

    With X and Y the centred samples over sqrt(N - 1), S1 = X'X and S2 = Y'Y, so the eigenvalues of
    S1 S2 that are not zero are the squared singular values of X Y', and the last trace is the sum
    of these singular values (the sum of sqrt(eigvalsh(X S2 X')), less the rounding of squares).
    Where both sides have more samples than dimensions, the triangular factors of their QR
    decompositions stand for them: they have the same covariances and only d rows. So the singular
    values are those of a matrix whose smaller side is min(n, m, d). Exact for any rank: no epsilon.

    Args:
        x: features [n, d], n >= 2; fewer samples than dimensions are allowed.
        y: features [m, d], m >= 2.

    Raises:
        ValueError: fewer than 2 samples, NaN or infinity, or unequal dimensions.
    """
    (mean_x, x), (mean_y, y) = _centred(x), _centred(y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"features of {x.shape[1]} and {y.shape[1]} dimensions cannot be compared")
    traces = np.square(x).sum() + np.square(y).sum()
    if min(len(x), len(y)) > x.shape[1]:
        x, y = (np.linalg.qr(a, mode="r") for a in (x, y))
    coupling = svdvals(x @ y.T, check_finite=False).sum()
    distance = np.square(mean_x - mean_y).sum() + traces - 2 * coupling
    # It is never negative; rounding may make it so where the two sets are the same.
    return max(float(distance), 0.0)
