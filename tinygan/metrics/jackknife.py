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

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95


def deal(count: int, groups: int, rng: np.random.Generator) -> np.ndarray:
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


def interval(value: float, without: np.ndarray) -> tuple[float, float]:
    """Return the 95 % confidence interval of a score by the delete-a-group jackknife.

    With t_g the score without group g and t their mean, the squared standard error is
    (G - 1) / G sum (t_g - t)^2, and the interval is the score plus and minus the standard error
    times the quantile of Student's t with G - 1 degrees of freedom.

    Args:
        value: the score of all samples.
        without: [G], the scores without one group each, G >= 2.
    """
    groups = len(without)
    error = np.sqrt((groups - 1) * np.var(without))
    half = float(stdtrit(groups - 1, (1 + LEVEL) / 2) * error)
    return value - half, value + half
