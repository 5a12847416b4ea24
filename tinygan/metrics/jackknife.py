"""Confidence intervals of scores, for another sample of as many images.

Most of these scores are biased by the number of samples N: an FID is too high by about c / N.
The usual bootstrap draws N rows with replacement. Duplicates amount to fewer distinct images, so
every replicate scores worse than the sample, by more than the standard error, and the percentile
interval may not even contain the score. The jackknife has no duplicates: it leaves samples out. The
bias at fewer images is the same for all its replicates and cancels in their variance. A Frechet
distance is computed without single samples (`leave_one_out`), the Vendi score with slightly more
weight on each (`vendi`). The other scores, whose replicates cost more, are computed without groups
of samples: they are assigned to G groups, and each is left out once.

The interval covers the sampling of images only: the real images are a fixed reference, and the
variation between training seeds is not included. It is an interval for the expected score at this
N, by which models scored at the same N are compared, not for the limit of infinite N.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
# The replicates of a score that has no interval.
NO_REPLICATES = np.empty(0)
# Lower and upper end, or None if there is no interval.
Interval = tuple[float, float] | tuple[None, None]


class TooFewSamples(ValueError):
    """There are enough samples for the score, but not without one of the groups."""


def assign_groups(count: int, groups: int, rng: np.random.Generator) -> np.ndarray:
    """Assign samples at random to groups whose sizes differ by at most one.

    Of each G consecutive samples, one goes into each group. So if samples are in order of class,
    every group has the classes in the same proportions.

    Args:
        count: number of samples, at least `groups`.
        groups: number of groups G, at least 2.
        rng: for the shuffling.

    Returns:
        int64 [count], the group of each sample, 0 to G - 1.

    Raises:
        ValueError: fewer than 2 groups, or more groups than samples.
    """
    if not 2 <= groups <= count:
        raise ValueError(
            f"{count} samples cannot be assigned to {groups} groups; "
            "an interval needs 2 groups or more, with a sample in each"
        )
    runs = np.tile(np.arange(groups), (-(-count // groups), 1))
    return rng.permuted(runs, axis=1).ravel()[:count]


@dataclass(frozen=True)
class Variance:
    """The estimated variance of a score between samples of as many images.

    Attributes:
        value: the squared standard error.
        degrees: its degrees of freedom; 0 if there are too few samples to estimate it.
    """

    value: float
    degrees: float

    @classmethod
    def of_groups(cls, without: np.ndarray) -> Self:
        """Estimate it from the scores without one group each, [G], as by `interval`."""
        return cls((len(without) - 1) * float(np.var(without)), len(without) - 1)

    @classmethod
    def of_strata(cls, parts: Sequence[np.ndarray], scales: Sequence[float]) -> Self:
        """Add the variances (divisor: one less) of some parts, each times its scale.

        A part with one value leaves the sum unknown.
        """
        if min(map(len, parts)) < 2:
            return UNKNOWN
        return cls.of_sum(
            cls(scale * np.var(part, ddof=1), len(part) - 1)
            for part, scale in zip(parts, scales, strict=True)
        )

    @classmethod
    def of_sum(cls, parts: Iterable[Self]) -> Self:
        """Add the variances of independent scores; degrees of freedom by Welch and Satterthwaite.

        If one of them is unknown, so is the sum.
        """
        values, degrees = np.array([(part.value, part.degrees) for part in parts]).T
        if not degrees.all():
            return UNKNOWN
        value = float(values.sum())
        if not value:
            return cls(value, float(degrees.min()))
        return cls(value, float(1 / np.sum(np.square(values / value) / degrees)))

    def interval(self, score: float) -> Interval:
        """Return score -+ the standard error times the quantile of Student's t."""
        if not self.degrees:
            return None, None
        half = float(stdtrit(self.degrees, (1 + LEVEL) / 2) * np.sqrt(self.value))
        return score - half, score + half


UNKNOWN = Variance(float("nan"), 0)


def interval(value: float, without: np.ndarray) -> Interval:
    """Return the 95 % confidence interval of a score by the delete-a-group jackknife.

    With t_g the score without group g and t their mean, the squared standard error is
    (G - 1) / G sum (t_g - t)^2, and the interval is the score plus or minus the standard error
    times the quantile of Student's t with G - 1 degrees of freedom.

    Args:
        value: the score of all samples.
        without: [G], the scores without one group each; `NO_REPLICATES` for no interval.
    """
    return Variance.of_groups(without).interval(value) if len(without) else (None, None)


def interval_of_mean(values: Sequence[float], variances: Sequence[Variance]) -> Interval:
    """Return the 95 % confidence interval of the mean of scores of independent samples.

    Args:
        values: the scores.
        variances: of each; one that is unknown means no interval.
    """
    total = Variance.of_sum(variances)
    of_mean = Variance(total.value / len(values) ** 2, total.degrees)
    return of_mean.interval(float(np.mean(values)))
