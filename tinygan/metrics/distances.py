"""Distances between features, a block of a matrix at a time, and features of length 1."""

from collections.abc import Iterator

import numpy as np

from tinygan.metrics.moments import checked

# Rows of a distance matrix in memory at a time.
BLOCK = 1000


def square_distances(
    a: np.ndarray, b: np.ndarray, block: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield `block` rows of a [n, d], and their |a_i - b_j|^2 [rows, m] to all of b [m, d]."""
    norms = np.square(b).sum(axis=1)
    for start in range(0, len(a), block):
        rows = slice(start, min(start + block, len(a)))
        part = a[rows]
        squares = np.square(part).sum(axis=1)[:, None] + norms - 2 * (part @ b.T)
        yield rows, np.maximum(squares, 0)


def unit_rows(x: np.ndarray, *, least: int = 1) -> np.ndarray:
    """Return samples [N, d] as float64, each divided by its length; a zero row stays zero.

    Raises:
        ValueError: see `tinygan.metrics.moments.checked`.
    """
    x = checked(x, least=least)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, lengths, out=x, where=lengths > 0)
