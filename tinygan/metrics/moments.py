"""Mean and covariance of features, in one pass over batches, shards or processes."""

from dataclasses import dataclass
from typing import Self

import numpy as np


def checked(x: np.ndarray, *, least: int = 1, name: str = "features") -> np.ndarray:
    """Return samples [N, d] as float64.

    Raises:
        ValueError: not two-dimensional, fewer than `least` rows, no columns, NaN or infinity.
    """
    x = np.asarray(x)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(f"{name} must be [N, d] with d > 0, not {list(x.shape)}")
    if len(x) < least:
        raise ValueError(f"this needs at least {least} samples, not {len(x)}; compute more")
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} hold NaN or infinity; check the images that they were made of")
    return x


def check_dimensions(ours: int, theirs: int) -> None:
    """Refuse, with ValueError, features of unequal dimensions."""
    if ours != theirs:
        raise ValueError(f"features of {ours} and {theirs} dimensions cannot be compared")


@dataclass(frozen=True)
class Moments:
    """What a Gaussian fit needs of any number of samples, in float64.

    With `mean` m = sum x_i / N and `scatter` C = sum (x_i - m)(x_i - m)', two sets merge into
    theirs together by the pairwise update of Chan, Golub and LeVeque: with e = m_b - m_a,

        N = N_a + N_b,  m = m_a + e N_b / N,  C = C_a + C_b + e e' N_a N_b / N.

    No difference of large numbers occurs, so any split of the samples gives the same, up to
    rounding.

    Attributes:
        count: N >= 1.
        mean: [d].
        scatter: [d, d].
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """Compute the moments of samples [N, d], N >= 1; ValueError for NaN or a wrong shape."""
        x = checked(x)
        mean = x.mean(axis=0)
        x -= mean
        return cls(len(x), mean, x.T @ x)

    def merge(self, other: Self) -> Self:
        """Return the moments of both sets together; ValueError if their dimensions differ."""
        check_dimensions(len(self.mean), len(other.mean))
        count = self.count + other.count
        step = other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        scatter = self.scatter + other.scatter
        scatter += np.outer(step, step * (self.count * other.count / count))
        return type(self)(count, mean, scatter)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance [d, d] with divisor N - 1; ValueError of a single sample."""
        if self.count < 2:
            raise ValueError("a covariance needs at least 2 samples, not 1; compute more")
        return self.scatter / (self.count - 1)
