"""What is measured on scores: correlation, the worst classes, the spread of a learning curve."""

from collections.abc import Mapping

import numpy as np

MIN_CLASSES = 4  # for a correlation over the classes, see `correlation`
MIN_POINTS = 4  # of a learning curve, of which the second half is judged


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
