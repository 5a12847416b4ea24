"""The metrics as their papers define them, written for clarity and not for speed."""

import numpy as np
import scipy.linalg

from tinygan.features.files import Features


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def made_up(classes: list[int], per_class: int, seed: int = 0, shift: float = 0.0) -> Features:
    """Features [N, 6] and logits [N, 4] of nothing, in order of class."""
    labels = np.repeat(np.array(classes, dtype=np.int64), per_class)
    features = (normal(len(labels), 6, seed=seed) + shift).astype(np.float32)
    logits = normal(len(labels), 4, seed=seed + 1).astype(np.float32)
    return Features(features, logits, labels, "made_up", "0" * 64, 64)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = x.astype(np.float64)
    return x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))


def with_moments(mean: np.ndarray, deviations: np.ndarray, seed: int) -> np.ndarray:
    """Samples [4 d, d] whose mean and diagonal covariance are exactly these."""
    d = len(mean)
    raw = normal(4 * d, d, seed=seed)
    orthonormal, _ = np.linalg.qr(raw - raw.mean(axis=0))
    return mean + orthonormal * deviations * np.sqrt(4 * d - 1)


def _without_cross_term(x: np.ndarray, y: np.ndarray) -> float:
    (m1, s1), (m2, s2) = moments(x), moments(y)
    return np.square(m1 - m2).sum() + np.trace(s1) + np.trace(s2)


def frechet_by_svd(x: np.ndarray, y: np.ndarray) -> float:
    """The cross term as the nuclear norm of S1^(1/2) S2^(1/2)."""
    roots = []
    for covariance in (moments(x)[1], moments(y)[1]):
        values, vectors = np.linalg.eigh(covariance)
        roots.append(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)
    norm = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    return _without_cross_term(x, y) - 2 * norm


def frechet_by_eigenvalues(x: np.ndarray, y: np.ndarray) -> float:
    """The cross term as the roots of the eigenvalues of the plain, unsymmetric product S1 S2."""
    values = np.linalg.eigvals(moments(x)[1] @ moments(y)[1]).real
    return _without_cross_term(x, y) - 2 * np.sqrt(np.maximum(values, 0)).sum()


def frechet_by_sqrtm(x: np.ndarray, y: np.ndarray, offset: float = 0.0) -> float:
    """The cross term as the trace of the matrix square root of (S1 + offset I)(S2 + offset I)."""
    lift = offset * np.eye(x.shape[1])
    root = scipy.linalg.sqrtm((moments(x)[1] + lift) @ (moments(y)[1] + lift))
    return _without_cross_term(x, y) - 2 * np.trace(np.real(root))


def inception_score_by_definition(logits: np.ndarray, splits: int) -> tuple[float, float]:
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    values = []
    for i in range(splits):
        part = p[i::splits]
        marginal = part.mean(axis=0)
        values.append(np.exp(np.mean([sum(q * np.log(q / marginal)) for q in part])))
    return float(np.mean(values)), float(np.std(values))


def kid_by_definition(x: np.ndarray, y: np.ndarray) -> float:
    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    n, m = len(x), len(y)
    value = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    value += sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return value - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


def prdc_by_definition(x: np.ndarray, y: np.ndarray, k: int) -> dict[str, float]:
    def radius(i, points):
        return sorted(np.linalg.norm(points[i] - p) for j, p in enumerate(points) if j != i)[k - 1]

    around_x, around_y = ([radius(i, p) for i in range(len(p))] for p in (x, y))
    d = np.array([[np.linalg.norm(a - b) for b in y] for a in x])
    in_y, in_x = d <= np.array(around_y), d <= np.array(around_x)[:, None]
    return {
        "precision": np.mean([row.any() for row in in_y]),
        "recall": np.mean([column.any() for column in in_x.T]),
        "density": in_y.sum() / (k * len(x)),
        "coverage": np.mean([column.any() for column in in_y.T]),
    }


def covered(truth: float, intervals: list[tuple[float, float]]) -> float:
    """The share of the intervals that contain the truth."""
    return float(np.mean([low <= truth <= high for low, high in intervals]))
