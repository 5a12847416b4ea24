"""Frechet distance between two sets of features, exact and without a matrix square root."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tinygan.metrics.jackknife import TooFewSamples
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
    return _Coupling(x, y).distance()


def frechet_jackknife(
    x: np.ndarray, y: np.ndarray | Gaussian, groups: np.ndarray, *, offset: float = 0.0
) -> tuple[float, np.ndarray]:
    """Return FID(x, y), and FID without each group of x in turn (see `jackknife`).

    The products are computed once; each further distance costs one eigendecomposition of a square
    matrix of side min(n, m, d).

    Args:
        x: features [n, d].
        y: features [m, d], or their Gaussian.
        groups: int [n], the group of each sample, 0 to G - 1; at least 2 samples outside each.
        offset: as for `frechet_distance`. Only the first distance has it: it shifts all distances
            alike, and the others are for their variance.

    Returns:
        the distance, and float64 [G], the distances without one group.

    Raises:
        ValueError: see `frechet_distance`.
        TooFewSamples: fewer than 2 samples are outside a group.
    """
    coupling = _Coupling(x, y)
    without = [coupling.distance_without(groups == g) for g in range(groups.max() + 1)]
    whole = frechet_distance(x, coupling.y, offset=offset) if offset else coupling.distance()
    return whole, np.array(without)


def _fitted(x: np.ndarray, y: np.ndarray | Gaussian) -> Gaussian:
    if not isinstance(y, Gaussian):
        # If either set has few samples, the matrix of their own products is the smaller one.
        y = Gaussian.of(y, reduce=len(x) > x.shape[1])
    check_dimensions(x.shape[1], len(y.mean))
    return y


def _roots(gram: np.ndarray, rank: int) -> tuple[float, float]:
    """Return the sum of the square roots of the `rank` largest eigenvalues, and its error bound."""
    values = np.maximum(np.linalg.eigvalsh(gram)[-rank:], 0)
    slack = 16 * np.finfo(float).eps * values[-1]
    roots = np.sqrt(values)
    return roots.sum(), (np.sqrt(values + slack) - roots).sum()


class _Coupling:
    """Samples x and a Gaussian y: B = (x - mean) F' [n, r] and the smaller of B'B and BB'."""

    def __init__(self, x: np.ndarray, y: np.ndarray | Gaussian):
        self.mean, self.x = _centred(x)
        self.y = y = _fitted(self.x, y)
        self.b = self.x @ y.factor.T
        self.by_rows = len(self.b) <= self.b.shape[1]
        self.gram = self.b @ self.b.T if self.by_rows else self.b.T @ self.b
        self.squares = np.square(self.x).sum(axis=1)
        self.trace = np.square(y.factor).sum()

    def distance(self) -> float:
        """Return FID(x, y)."""
        n = len(self.x)
        traces = self.squares.sum() / (n - 1) + self.trace
        roots, error = _roots(self.gram, min(n - 1, self.y.rank))
        if error / np.sqrt(n - 1) > PRECISION * traces:
            roots = np.linalg.svd(self.b, compute_uv=False).sum()
        return self._distance(self.mean, traces, roots / np.sqrt(n - 1))

    def distance_without(self, left_out: np.ndarray) -> float:
        """Return FID(x, y) without the samples of a boolean mask [n]."""
        shift, shift_b = (-a[left_out].sum(axis=0) for a in (self.x, self.b))
        keep = ~left_out
        n = np.count_nonzero(keep)
        if n < 2:
            raise TooFewSamples(f"{len(keep)} samples are too few for their groups; compute more")
        if self.by_rows:
            gram = self.gram[np.ix_(keep, keep)]
            row = gram.mean(axis=0)
            gram = gram - row - row[:, None] + row.mean()
        else:
            part = self.b[left_out]
            gram = self.gram - part.T @ part - np.outer(shift_b, shift_b / n)
        trace = (self.squares[keep].sum() - shift @ shift / n) / (n - 1)
        roots, _ = _roots(gram, min(n - 1, self.y.rank))
        return self._distance(self.mean + shift / n, trace + self.trace, roots / np.sqrt(n - 1))

    def _distance(self, mean: np.ndarray, traces: float, coupling: float) -> float:
        distance = np.square(mean - self.y.mean).sum() + traces - 2 * coupling
        # Never negative, but for rounding, if the two sets are the same.
        return max(float(distance), 0.0)


def _offset_distance(x: Gaussian, y: Gaussian, offset: float) -> float:
    """Return |m1 - m2|^2 + tr S1 + tr S2 - 2 tr ((S1 + offset I)(S2 + offset I))^(1/2)."""
    ridge = np.sqrt(offset) * np.eye(len(x.mean))
    lifted = [np.linalg.qr(np.vstack([g.factor, ridge]), mode="r") for g in (x, y)]
    traces = sum(np.square(g.factor).sum() for g in (x, y))
    roots = np.linalg.svd(lifted[0] @ lifted[1].T, compute_uv=False).sum()
    return float(np.square(x.mean - y.mean).sum() + traces - 2 * roots)
