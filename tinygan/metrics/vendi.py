"""Vendi score: how many different images a set has (Friedman and Dieng, TMLR 2023)."""

import numpy as np

from tinygan.metrics.distances import unit_rows
from tinygan.metrics.jackknife import TooFewSamples


def vendi(x: np.ndarray) -> float:
    """Return the Vendi score, the exponential of the entropy of the eigenvalues of K / n.

    With the cosine kernel, K_ij is the cosine between features i and j, the eigenvalues l of K / n
    add up to 1, and the score is exp(-sum l log l): 1 for images that are all the same, n for n
    images whose features are orthogonal, never more than min(n, d). It grows with n: compare sets
    of as many images. It knows nothing of quality; noise is diverse.

    K / n = U U' / n, with U the features divided by their lengths, has the nonzero eigenvalues of
    U' U / n [d, d]; the smaller one is decomposed.

    Args:
        x: features [n, d], n >= 1.

    Raises:
        ValueError: no samples, NaN or infinity.
    """
    u = unit_rows(x)
    return _score(u @ u.T if len(u) < u.shape[1] else u.T @ u, len(u))


def vendi_jackknife(x: np.ndarray, groups: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the Vendi score, and that without each group in turn (see `jackknife`).

    Each costs one eigendecomposition of a square matrix of side min(n, d).

    Args:
        x: features [n, d].
        groups: int [n], the group of each sample, 0 to G - 1.

    Returns:
        the score, and float64 [G], the scores without one group.

    Raises:
        ValueError: see `vendi`.
        TooFewSamples: no samples are outside a group.
    """
    u = unit_rows(x)
    by_rows, n = len(u) < u.shape[1], len(u)
    if np.bincount(groups).max() == n:
        raise TooFewSamples(f"{n} samples are too few for their groups; compute more")
    gram = u @ u.T if by_rows else u.T @ u
    without = []
    for g in range(groups.max() + 1):
        out = groups == g
        rest = gram[np.ix_(~out, ~out)] if by_rows else gram - u[out].T @ u[out]
        without.append(_score(rest, n - np.count_nonzero(out)))
    return _score(gram, n), np.array(without)


def _score(gram: np.ndarray, n: int) -> float:
    values = np.linalg.eigvalsh(gram / n)
    values = values[values > 0]
    return float(np.exp(-(values @ np.log(values))))
