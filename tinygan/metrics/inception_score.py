"""Inception score (section 5.2)."""

import numpy as np
from scipy.special import log_softmax, logsumexp


def inception_score(logits: np.ndarray, splits: int) -> tuple[float, float]:
    """Return the mean and the population standard deviation of exp(mean KL(p(k|x) || p(k))).

    The usual splits are contiguous, because labels are usually drawn at random. Here images come
    in order of class, and a contiguous split would hold few classes and score far too low. So
    split i takes the rows i, i + splits, i + 2 splits, ...: each has every class in equal share,
    up to one image. The mean has the same meaning; the deviation leaves out what random labels add.

    Args:
        logits: [N, K], in order of class, N >= splits.
        splits: number of splits, at least 1.

    Raises:
        ValueError: too few images for the splits, NaN or infinity, or not two-dimensional.
    """
    logits = np.asarray(logits)
    if logits.ndim != 2:
        raise ValueError(f"logits must be [N, K], not {list(logits.shape)}")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"{len(logits)} images cannot be cut into {splits} splits")
    if not np.isfinite(logits).all():
        raise ValueError("logits hold NaN or infinity; check the images that they were made of")
    values = []
    for i in range(splits):
        log_p = log_softmax(logits[i::splits].astype(np.float64), axis=1)
        log_marginal = logsumexp(log_p, axis=0) - np.log(len(log_p))
        divergence = (np.exp(log_p) * (log_p - log_marginal)).sum(axis=1)
        values.append(np.exp(divergence.mean()))
    return float(np.mean(values)), float(np.std(values))
