"""Sums of kernel values over groups of samples, from which a score and its replicates follow."""

from collections.abc import Iterable

import numpy as np


def kernel_sums(
    blocks: Iterable[tuple[slice, np.ndarray]], a_member: np.ndarray, b_member: np.ndarray
) -> np.ndarray:
    """Return A' k(a, b) B for memberships A [n, G] and B [m, H]: sums per pair of groups.

    Args:
        blocks: rows of a, and their kernel values [rows, m] with all b.
        a_member, b_member: A and B.
    """
    sums = np.zeros((a_member.shape[1], b_member.shape[1]))
    for rows, kernel in blocks:
        sums += a_member[rows].T @ (kernel @ b_member)
    return sums


def without_each(sums: np.ndarray) -> np.ndarray:
    """Return the total of sums per pair of groups [G, G] without each group in turn, [G]."""
    return sums.sum() - sums.sum(axis=0) - sums.sum(axis=1) + np.diag(sums)
