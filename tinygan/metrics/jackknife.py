"""Confidence intervals of scores: what another draw of as many images would score.

Most of these scores are biased by the number of samples N, FID upwards by about c / N. The usual
bootstrap draws N rows with replacement: the duplicates make a set worth fewer distinct images, so
every replicate scores worse than the sample itself, by more than the scatter that is looked for,
and the percentile interval need not even hold the score that it is drawn around. The delete-a-group
jackknife duplicates nothing: the samples are dealt into G groups and each is left out once. The
bias of N - N / G images is the same for all G replicates and cancels in their scatter.

The interval speaks of the images alone: the real images are taken as the fixed reference that they
are, and the spread over trainings with other seeds is not in it. It surrounds the expected score at
this N, which is what sources scored at the same N are compared by, not the limit of infinite N.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
# The replicates of a score whose interval cannot be had.
NONE = np.empty(0)
# Both ends, or None where there is no interval.
Interval = tuple[float, float] | tuple[None, None]


class TooFewSamples(ValueError):
    """A score can be had, but not without one of its groups."""


def assign_groups(count: int, groups: int, rng: np.random.Generator) -> np.ndarray:
    """Deal samples at random into groups whose sizes differ by one at most.

    Each run of G consecutive samples puts one into each group. So where samples come in order of
    class, the groups have the classes in equal share, as the samples do.

    Args:
        count: number of samples, at least `groups`.
        groups: number of groups G, at least 2.
        rng: what shuffles.

    Returns:
        int64 [count], the group of each sample, 0 to G - 1.

    Raises:
        ValueError: fewer than 2 groups, or more groups than samples.
    """
    if not 2 <= groups <= count:
        raise ValueError(
            f"{count} samples cannot be dealt into {groups} groups; "
            "an interval needs 2 groups or more, with a sample in each"
        )
    runs = np.tile(np.arange(groups), (-(-count // groups), 1))
    return rng.permuted(runs, axis=1).ravel()[:count]


def interval(value: float, without: np.ndarray) -> Interval:
    """Return the 95 % confidence interval of a score by the delete-a-group jackknife.

    With t_g the score without group g and t their mean, the squared standard error is
    (G - 1) / G sum (t_g - t)^2, and the interval is the score plus and minus the standard error
    times the quantile of Student's t with G - 1 degrees of freedom.

    Args:
        value: the score of all samples.
        without: [G], the scores without one group each, or `NONE`: then there is no interval.
    """
    if not len(without):
        return None, None
    return _around(value, _square_error(without), len(without))


def interval_of_mean(values: Sequence[float], without: Sequence[np.ndarray]) -> Interval:
    """Return the 95 % confidence interval of the mean of scores of independent samples.

    Where all have G groups, each leaves out its own group g. Small samples have fewer groups; then
    the squared standard errors add up, and the fewest groups decide the quantile.

    Args:
        values: the scores.
        without: of each score [G], as for `interval`; where one is `NONE`, there is no interval.
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
