"""What is measured on scores: correlation, the worst classes, the spread of a learning curve."""

from collections.abc import Mapping

import numpy as np

MIN_CLASSES = 4  # for a correlation over the classes, see `correlation`
MIN_POINTS = 4  # of a learning curve, of which the second half is judged
RESAMPLES = 10_000  # of the bootstrap


def correlation(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return Pearson's correlation over the classes; None for too few, or where it is undefined.

    Of two classes it is always 1 or -1, and three unrelated scores mostly give nearly that; from
    four on they no longer do.
    """
    if len(x) < MIN_CLASSES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return pearson(x, y)


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation of two vectors; ValueError where it is undefined."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("a correlation needs at least two classes whose scores differ")
    x, y = x - np.mean(x), y - np.mean(y)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def bootstrap_correlation(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float] | None:
    """Return Pearson's correlation over the classes and its 95 % bootstrap interval.

    The percentile interval of `RESAMPLES` draws of as many classes, with replacement. A draw whose
    scores do not differ has no correlation and is skipped.

    Args:
        x: [classes], scores of one model.
        y: [classes], scores of the other, for the same classes.
        rng: draws the classes; `tinygan.seeding.stream` of ``"analysis/bootstrap"``.

    Returns:
        The correlation, the interval's lower and upper end; None where `correlation` is None.
    """
    found = correlation(x, y)
    if found is None:
        return None
    drawn = rng.integers(len(x), size=(RESAMPLES, len(x)))
    x, y = np.asarray(x)[drawn], np.asarray(y)[drawn]
    spread = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    x, y = (each[spread] - each[spread].mean(axis=1, keepdims=True) for each in (x, y))
    r = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    low, high = np.percentile(r, (2.5, 97.5))
    return found, float(low), float(high)


def worst_classes(scores: Mapping[int, float]) -> list[int]:
    """Return the classes of highest intra-FID, worst first: ten, or half of fewer than twenty."""
    count = max(1, min(10, len(scores) // 2))
    return sorted(scores, key=lambda label: (-scores[label], label))[:count]


def tail_spread(fid: np.ndarray) -> float:
    """Return max - min of FID over the second half of a learning curve's points (claim 4)."""
    if len(fid) < 2:
        raise ValueError("a learning curve needs two points: set train.snapshots to 2 or more")
    tail = fid[-max(2, (len(fid) + 1) // 2) :]
    return float(np.ptp(tail))
