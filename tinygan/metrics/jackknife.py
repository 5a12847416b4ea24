"""Confidence intervals of scores, for another sample of as many images.

Most of these scores are biased by the number of samples N: an FID is too high by about c / N.
The usual bootstrap draws N rows with replacement. Duplicates amount to fewer distinct images, so
every replicate scores worse than the sample, by more than the standard error, and the percentile
interval may not even contain the score. The delete-a-group jackknife has no duplicates: samples are
assigned to G groups, and each group is left out once. The bias at N - N / G images is the same for
all G replicates and cancels in their variance.

The interval covers the sampling of images only: the real images are a fixed reference, and the
variation between training seeds is not included. It is an interval for the expected score at this
N, by which models scored at the same N are compared, not for the limit of infinite N.
"""

from collections.abc import Sequence

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


def interval(value: float, without: np.ndarray) -> Interval:
    """Return the 95 % confidence interval of a score by the delete-a-group jackknife.

    With t_g the score without group g and t their mean, the squared standard error is
    (G - 1) / G sum (t_g - t)^2, and the interval is the score plus or minus the standard error
    times the quantile of Student's t with G - 1 degrees of freedom.

    Args:
        value: the score of all samples.
        without: [G], the scores without one group each; `NO_REPLICATES` for no interval.
    """
    if not len(without):
        return None, None
    return _around(value, _square_error(without), len(without))


def interval_of_mean(values: Sequence[float], without: Sequence[np.ndarray]) -> Interval:
    """Return the 95 % confidence interval of the mean of scores of independent samples.

    If all have G groups, replicate g of the mean leaves out group g of every sample. If small
    samples have fewer groups, the squared standard errors are added, and the smallest number of
    groups gives the degrees of freedom.

    Args:
        values: the scores.
        without: per score [G], as for `interval`; one `NO_REPLICATES` means no interval.
    """
    value, groups = float(np.mean(values)), [len(scores) for scores in without]
    if min(groups) == max(groups):
        return interval(value, np.mean(without, axis=0))
    if not min(groups):
        return None, None
    square_error = sum(map(_square_error, without)) / len(values) ** 2
    return _around(value, square_error, min(groups))


def _square_error(without: np.ndarray) -> float:
    return (len(without) - 1) * np.var(without)


def _around(value: float, square_error: float, groups: int) -> tuple[float, float]:
    half = float(stdtrit(groups - 1, (1 + LEVEL) / 2) * np.sqrt(square_error))
    return value - half, value + half
