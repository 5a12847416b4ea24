"""Vendi score: how many different images a set has (Friedman and Dieng, TMLR 2023)."""

import numpy as np

from tinygan.metrics.distances import unit_rows
from tinygan.metrics.jackknife import Variance


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
    return _score(np.linalg.eigvalsh(_gram(u)))


def vendi_with_variance(x: np.ndarray, strata: np.ndarray) -> tuple[float, Variance]:
    """Return the Vendi score, and its variance between sets of as many images.

    By the infinitesimal jackknife: with M = U' U / n and the entropy H = -tr M log M, more weight
    on image i changes H in proportion to h_i - H, h_i = -u_i' (log M) u_i, whose mean is H. So if
    s_c^2 is the variance (divisor: one less) of h_i in stratum c, which has n_c of the n images,
    the variance of the score is exp(2 H) / n^2 sum_c n_c s_c^2. One eigendecomposition gives all.

    Args:
        x: features [n, d].
        strata: int [n], the class of each image, if every other set has as many of each class: only
            variation within the classes counts.

    Returns:
        the score, and its variance, unknown if a stratum has one image.

    Raises:
        ValueError: see `vendi`.
    """
    u = unit_rows(x)
    n, by_rows = len(u), len(u) < u.shape[1]
    values, vectors = np.linalg.eigh(_gram(u))
    values, vectors = values[values > 0], vectors[:, values > 0]
    # (u_i' w_k)^2 for the eigenvectors w_k of M.
    squares = np.square(vectors) * (n * values) if by_rows else np.square(u @ vectors)
    entropies = -squares @ np.log(values)
    score = _score(values)
    parts = [entropies[strata == c] for c in np.unique(strata)]
    scales = [(score / n) ** 2 * len(part) for part in parts]
    return score, Variance.of_strata(parts, scales)


def _gram(u: np.ndarray) -> np.ndarray:
    """Return U U' / n or U' U / n, whichever is smaller."""
    return (u @ u.T if len(u) < u.shape[1] else u.T @ u) / len(u)


def _score(values: np.ndarray) -> float:
    values = values[values > 0]
    return float(np.exp(-(values @ np.log(values))))
