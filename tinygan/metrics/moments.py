"""Mean and covariance of features, accumulated over batches, shards or processes."""

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
        raise ValueError(f"at least {least} samples are needed, not {len(x)}; compute more")
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contain NaN or infinity; check their images")
    return x


def check_dimensions(first: int, second: int) -> None:
    """Refuse, with ValueError, features of unequal dimensions."""
    if first != second:
        raise ValueError(f"features of {first} and {second} dimensions cannot be compared")


@dataclass(frozen=True)
class Moments:
    """Count, mean and scatter of samples, in float64: all that a Gaussian fit needs.

    With `mean` m = sum x_i / N and `scatter` C = sum (x_i - m)(x_i - m)', two sets a and b are
    merged by the pairwise update of Chan, Golub and LeVeque: with e = m_b - m_a,

        N = N_a + N_b,  m = m_a + e N_b / N,  C = C_a + C_b + e e' N_a N_b / N.

    No large numbers are subtracted, so any split of the samples gives the same result, up to
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
        """Compute the moments of samples [N, d], N >= 1; ValueError for NaN or wrong shapes."""
        x = checked(x)
        mean = x.mean(axis=0)
        x -= mean
        return cls(len(x), mean, x.T @ x)

    def merge(self, other: Self) -> Self:
        """Return the moments of the union; ValueError if the dimensions differ."""
        check_dimensions(len(self.mean), len(other.mean))
        count = self.count + other.count
        step = other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        scatter = self.scatter + other.scatter
        scatter += np.outer(step, step * (self.count * other.count / count))
        return type(self)(count, mean, scatter)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance [d, d] with divisor N - 1; ValueError for a single sample."""
        if self.count < 2:
            raise ValueError("a covariance needs at least 2 samples, not 1; compute more")
        return self.scatter / (self.count - 1)
