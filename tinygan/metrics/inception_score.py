"""Inception score (section 5.2)."""

import numpy as np
from scipy.special import log_softmax

from tinygan.metrics.jackknife import TooFewSamples
from tinygan.metrics.moments import checked


def inception_score(logits: np.ndarray, splits: int) -> tuple[float, float] | tuple[None, None]:
    """Return the mean and the population standard deviation of exp(mean KL(p(k|x) || p(k))).

    Splits are usually contiguous, since labels are usually random. Here images are in order of
    class, and a contiguous split would have few classes and score far too low. So split i takes the
    rows i, i + splits, i + 2 splits, ...: each has all classes in equal shares, up to one image.
    The mean has the same meaning; the deviation lacks the variation from random labels.

    Args:
        logits: [N, K], in order of class, N >= splits.
        splits: number of splits, at least 1.

    Returns:
        The two; None and None for K = 0, of an extractor that has no classifier.

    Raises:
        ValueError: too few images for the splits, NaN or infinity, or not two-dimensional.
    """
    if np.ndim(logits) == 2 and np.shape(logits)[1] == 0:
        return None, None
    one_group = np.zeros(len(logits), dtype=np.int64)
    values = _values(*_sums(logits, splits, one_group))
    return float(np.mean(values)), float(np.std(values))


def inception_score_jackknife(logits: np.ndarray, splits: int, groups: np.ndarray) -> np.ndarray:
    """Return the mean score without each group of images in turn (see `jackknife`), [G].

    Args:
        logits: [N, K], in order of class.
        splits: as for `inception_score`.
        groups: int [N], the group of each image, 0 to G - 1.

    Returns:
        float64 [G].

    Raises:
        ValueError: see `inception_score`.
        TooFewSamples: a group contains a whole split.
    """
    sums = _sums(logits, splits, groups)
    totals = [part.sum(axis=1, keepdims=True) for part in sums]
    return _values(*(t - part for t, part in zip(totals, sums, strict=True))).mean(axis=0)


def _sums(
    logits: np.ndarray, splits: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, by split and group, the images [S, G], sum p log p [S, G] and sum p [S, G, K]."""
    if np.ndim(logits) == 2 and not 1 <= splits <= len(logits):
        raise ValueError(f"{len(logits)} images cannot be cut into {splits} splits")
    cells = (splits, groups.max(initial=0) + 1)
    counts, entropies = np.zeros(cells), np.zeros(cells)
    marginals = np.zeros((*cells, np.shape(logits)[-1]))
    for i in range(splits):
        # Convert to float64 one split at a time.
        log_p = log_softmax(checked(logits[i::splits], name="logits"), axis=1)
        p = np.exp(log_p)
        terms = (p * log_p).sum(axis=1)
        for g in range(cells[1]):
            rows = groups[i::splits] == g
            counts[i, g] = np.count_nonzero(rows)
            entropies[i, g] = terms[rows].sum()
            marginals[i, g] = p[rows].sum(axis=0)
    return counts, entropies, marginals


def _values(counts: np.ndarray, entropies: np.ndarray, marginals: np.ndarray) -> np.ndarray:
    """Return exp(mean of sum p log p - sum m log m) with m the mean of p, from sums [..., K]."""
    if (counts < 1).any():
        raise TooFewSamples("a split has all its images in one group; compute more images")
    m = np.maximum(marginals / counts[..., None], 0)
    m_log_m = m * np.log(np.where(m > 0, m, 1))
    return np.exp(entropies / counts - m_log_m.sum(axis=-1))
