"""The variance of a Frechet distance, by leaving out one sample at a time.

The decomposition that gives the distance gives all distances without one sample. Let B = X F', the
n centred samples times the factor of the other covariance (see `fid`), have the rows b_i, the
singular values s_k and the right singular vectors v_k. Without sample i, B'B is less by
n / (n - 1) b_i b_i'; this includes that the mean moves. From

    s = 1 / pi  integral_0^inf  log(1 + s^2 / t^2) dt

and the determinant of a matrix less b b', the sum of the singular values falls by exactly

    1 / pi  integral_0^inf  -log(1 - n / (n - 1) q_i(t)) dt,
    q_i(t) = sum_k (b_i'v_k)^2 / (s_k^2 + t^2).

All q_i are one matrix product. The integrand is analytic in log t where |Im log t| < pi / 2, so the
trapezoidal rule with step 1/2 errs by about exp(-2 pi^2) = 3e-9 of the result; its cut-off ends, by
1e-7 of the largest s_k. Nothing is divided by a singular value: there may be fewer samples than
dimensions, duplicated samples and constant features.

The infinitesimal jackknife has the derivative instead, sum_k (b_i'v_k)^2 / (2 s_k), at the same
cost. It is too small where a sample has some direction nearly to itself, as with few samples for
the dimensions: without the sample, that singular value would be zero, and the derivative halves it.
"""

import numpy as np

from tinygan.metrics.fid import Coupling, Gaussian, frechet_distance
from tinygan.metrics.jackknife import UNKNOWN, Variance

# Samples that are left out. So many give the standard error to 1 / sqrt(2 * 1000), or 2 %.
LEFT_OUT = 1000
# At least so many of each stratum, as far as it has them.
LEFT_OUT_OF_STRATUM = 10
_STEP = 0.5
_NODES = np.exp(np.arange(-18, 18 + _STEP, _STEP))


def frechet_jackknife(
    x: np.ndarray,
    y: np.ndarray | Gaussian,
    strata: np.ndarray | None = None,
    *,
    offset: float = 0.0,
) -> tuple[float, Variance]:
    """Return FID(x, y), and its variance between samples x of this size (see `jackknife`).

    If stratum h has n_h of the n samples, and s_h^2 is the variance (divisor: one less) of the
    distances without one of its samples, then the variance of the distance is

        ((n - 1) / n)^2 sum_h n_h s_h^2,

    for a single stratum the delete-one jackknife. Of large samples, about `LEFT_OUT` evenly spaced
    ones are left out instead of all.

    Args:
        x: features [n, d].
        y: features [m, d], or their Gaussian.
        strata: int [n], the class of each sample, if every other sample has as many of each class:
            only variation within the classes counts. None: one stratum.
        offset: as for `frechet_distance`. Only the distance has it: it shifts all distances alike.

    Returns:
        the distance, and its variance, unknown if n = 2 or a stratum has one sample.

    Raises:
        ValueError: see `frechet_distance`.
    """
    labels = np.zeros(len(x)) if strata is None else strata
    _, strata, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(x) < 3 or counts.min() < 2:
        return frechet_distance(x, y, offset=offset), UNKNOWN
    most = max(LEFT_OUT // len(counts), LEFT_OUT_OF_STRATUM)
    rows = [_spaced(np.flatnonzero(strata == h), most) for h in range(len(counts))]
    coupling = Coupling.of(x, y)
    distance, without = _leave_out(coupling, x, np.concatenate(rows))
    if offset:
        distance = frechet_distance(x, coupling.y, offset=offset)
    parts = np.split(without, np.cumsum([len(part) for part in rows])[:-1])
    return distance, Variance.of_strata(parts, (1 - 1 / len(x)) ** 2 * counts)


def _spaced(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows, evenly spaced."""
    return rows[np.arange(min(most, len(rows))) * len(rows) // min(most, len(rows))]


def _leave_out(coupling: Coupling, x: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return FID(x, y), and FID without each of these rows of x, float64 [k]."""
    distance, values, coordinates = coupling.decompose(rows)
    n, x = len(coupling.b), x[rows] - coupling.mean
    squares, trace = np.square(x).sum(axis=1), coupling.scatter / (n - 1)
    apart = (squares / (n - 1) - 2 * x @ (coupling.mean - coupling.y.mean)) / (n - 1)
    traces = (trace - n / (n - 1) * squares) / (n - 2)
    nodes = _NODES * (np.sqrt(values[-1]) or 1.0)
    q = np.square(coordinates) @ (1 / (values[:, None] + np.square(nodes)))
    rest = np.maximum(1 - n / (n - 1) * q, np.finfo(float).eps)
    fall = -np.log(rest) @ nodes * (_STEP / np.pi)
    total = np.sqrt(values).sum()
    roots = (total - fall) / np.sqrt(n - 2) - total / np.sqrt(n - 1)
    return distance, distance + apart + traces - 2 * roots
