"""Frechet distance between two sets of features, exact and without a matrix square root."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from tinygan.metrics.moments import Moments, check_dimensions, checked

# The authors' NumPy code always adds this to the diagonals of both covariances.
AUTHORS_OFFSET = 1e-6
# The coupling is recomputed by an SVD if the error of the eigenvalues could exceed this fraction of
# tr S1 + tr S2.
PRECISION = 1e-8


@dataclass(frozen=True)
class Gaussian:
    """The Gaussian of a set of samples, its covariance S as a factor: S = F'F.

    Attributes:
        mean: float64 [d].
        factor: F, float64 [r, d]: the N centred samples over sqrt(N - 1), or d rows instead.
        rank: upper bound of the rank of S, min(N - 1, d).
    """

    mean: np.ndarray
    factor: np.ndarray
    rank: int

    @classmethod
    def of(cls, x: np.ndarray, *, reduce: bool = True) -> Self:
        """Fit samples [N, d], N >= 2.

        Args:
            x: the samples.
            reduce: if the factor has more than d rows, replace them by the d rows of the triangular
                factor of their QR decomposition.

        Raises:
            ValueError: fewer than 2 samples, identical samples, NaN or infinity.
        """
        mean, centred = _centred(x)
        count, d = centred.shape
        centred /= np.sqrt(count - 1)
        if reduce and count > d:
            centred = np.linalg.qr(centred, mode="r")
        return cls(mean, centred, min(count - 1, d))

    @classmethod
    def of_moments(cls, moments: Moments) -> Self:
        """Fit samples given by their moments only, through an eigendecomposition S = V L V'.

        Raises:
            ValueError: fewer than 2 samples, or identical samples.
        """
        values, vectors = np.linalg.eigh(moments.covariance)
        if values[-1] <= 0:
            raise ValueError(_CONSTANT.format(moments.count))
        factor = (vectors * np.sqrt(np.maximum(values, 0))).T
        return cls(moments.mean, factor, min(moments.count - 1, len(values)))


_CONSTANT = "all {} samples have the same features; check their images"


def _centred(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean [d] and x - mean, float64 [N, d]."""
    x = checked(x, least=2)
    if (x == x[0]).all():
        raise ValueError(_CONSTANT.format(len(x)))
    mean = x.mean(axis=0)
    x -= mean
    return mean, x


def _scatter(centred: np.ndarray) -> float:
    return float(np.square(centred).sum(axis=1).sum())


def _mean_and_scatter(x: np.ndarray) -> tuple[np.ndarray, float]:
    mean, centred = _centred(x)
    return mean, _scatter(centred)


def frechet_distance(x: np.ndarray, y: np.ndarray | Gaussian, *, offset: float = 0.0) -> float:
    """Return FID(x, y) = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) in float64 (section 5.2).

    With S1 = X'X and S2 = F'F, X the centred samples over sqrt(n - 1), the nonzero eigenvalues of
    S1 S2 are those of B'B and of BB' with B = X F'; the smaller one is used. The last trace is the
    sum of their square roots, the singular values of B. Exact for any rank: there may be fewer
    samples than dimensions, and nothing is added to a covariance.

    Squaring B costs the small singular values half their digits. Eigenvalues known to be zero (n
    centred samples have rank n - 1) are left out of the sum; if the rounding of the others could
    still matter (duplicated samples), an SVD of B replaces the eigenvalues.

    Args:
        x: features [n, d], n >= 2.
        y: features [m, d], m >= 2, or their Gaussian.
        offset: zero, or `AUTHORS_OFFSET` to reproduce the authors' released code. That code uses
            S + offset I for both covariances in the square root, and only there, so scores are
            lower, the more so the lower the rank.

    Raises:
        ValueError: fewer than 2 samples, identical samples in a set, NaN or infinity, unequal
            dimensions.
    """
    if offset:
        return _offset_distance(Gaussian.of(x), _fitted(x, y), offset)
    return Coupling.of(x, y).distance()


def _fitted(x: np.ndarray, y: np.ndarray | Gaussian) -> Gaussian:
    if not isinstance(y, Gaussian):
        # If either set has few samples, the matrix of their own products is the smaller one.
        y = Gaussian.of(y, reduce=len(x) > x.shape[1])
    check_dimensions(x.shape[1], len(y.mean))
    return y


@dataclass(frozen=True)
class Coupling:
    """Samples x and a Gaussian y, and B = (x - mean) F'.

    Attributes:
        mean: of x, float64 [d].
        scatter: (n - 1) tr S1, the sum of the squared distances of x to its mean.
        y: the Gaussian.
        b: B, float64 [n, r].
    """

    mean: np.ndarray
    scatter: float
    y: Gaussian
    b: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray | Gaussian) -> Self:
        """Couple samples x [n, d] and y; for y and the errors, see `frechet_distance`."""
        mean, centred = _centred(x)
        y = _fitted(centred, y)
        return cls(mean, _scatter(centred), y, centred @ y.factor.T)

    def take(self, x: np.ndarray, rows: np.ndarray) -> Self:
        """Couple the samples in some rows [k], k >= 2, of the same x: their B needs no product."""
        mean, scatter = _mean_and_scatter(x[rows])
        b = self.b[rows]
        b -= b.mean(axis=0)
        return replace(self, mean=mean, scatter=scatter, b=b)

    def distance(self, precision: float = PRECISION) -> float:
        """Return FID(x, y).

        Args:
            precision: of the cross term, as a fraction of tr S1 + tr S2, see `PRECISION`.
        """
        return self._distance(self._top(np.linalg.eigvalsh(self._gram)), precision)

    def decompose(self, rows: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the distance with what it takes to leave out samples.

        Args:
            rows: int [k], some samples.

        Returns:
            FID(x, y); the squared singular values of B, ascending, float64 [s], without those that
            are known to be zero; and these rows of B in the basis of its right singular vectors,
            float64 [k, s].
        """
        values, vectors = np.linalg.eigh(self._gram)
        values = self._top(values)
        vectors = vectors[:, -len(values) :]
        coordinates = vectors[rows] * np.sqrt(values) if self._by_rows else self.b[rows] @ vectors
        return self._distance(values, PRECISION), values, coordinates

    @property
    def _by_rows(self) -> bool:
        return len(self.b) <= self.b.shape[1]

    @property
    def _gram(self) -> np.ndarray:
        return self.b @ self.b.T if self._by_rows else self.b.T @ self.b

    def _top(self, values: np.ndarray) -> np.ndarray:
        return np.maximum(values[-min(len(self.b) - 1, self.y.rank) :], 0)

    def _distance(self, values: np.ndarray, precision: float) -> float:
        """Return FID(x, y), given the squared singular values of B."""
        n = len(self.b)
        traces = self.scatter / (n - 1) + np.square(self.y.factor).sum()
        roots = np.sqrt(values)
        slack = 16 * np.finfo(float).eps * values[-1]
        error = (np.sqrt(values + slack) - roots).sum()
        coupling = roots.sum()
        if error / np.sqrt(n - 1) > precision * traces:
            coupling = np.linalg.svd(self.b, compute_uv=False).sum()
        apart = np.square(self.mean - self.y.mean).sum()
        # Never negative, but for rounding, if the two sets are the same.
        return max(float(apart + traces - 2 * (coupling / np.sqrt(n - 1))), 0.0)


def _offset_distance(x: Gaussian, y: Gaussian, offset: float) -> float:
    """Return |m1 - m2|^2 + tr S1 + tr S2 - 2 tr ((S1 + offset I)(S2 + offset I))^(1/2)."""
    ridge = np.sqrt(offset) * np.eye(len(x.mean))
    lifted = [np.linalg.qr(np.vstack([g.factor, ridge]), mode="r") for g in (x, y)]
    traces = sum(np.square(g.factor).sum() for g in (x, y))
    roots = np.linalg.svd(lifted[0] @ lifted[1].T, compute_uv=False).sum()
    return float(np.square(x.mean - y.mean).sum() + traces - 2 * roots)
