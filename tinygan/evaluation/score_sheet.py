"""The scores beyond those of the paper: a score sheet as it is usual today."""

from collections.abc import Sequence

import numpy as np

from tinygan.evaluation.class_scores import ClassScores
from tinygan.metrics.copies import authentic
from tinygan.metrics.fd_infinity import fd_infinity
from tinygan.metrics.fid import Gaussian
from tinygan.metrics.jackknife import Interval, interval
from tinygan.metrics.mmd import mmd_rbf_jackknife
from tinygan.metrics.shares import share_with_interval
from tinygan.metrics.vendi import vendi_with_variance
from tinygan.seeding import stream


def sheet_scores(
    classes: Sequence[ClassScores],
    features: np.ndarray,
    real: Gaussian,
    pairwise: np.ndarray,
    real_pairwise: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> dict[str, tuple[float | None, Interval]]:
    """Return the scores over all classes, each with its interval.

    ``"pair_copies"`` is among them if the images were compared with harvested pairs.

    Args:
        classes: the contributions of the classes.
        features: of the images for the FID.
        real: the Gaussian of all real images.
        pairwise, real_pairwise: features of the images, and of as many real images, for scores that
            compare all pairs.
        groups: the groups of `pairwise` for the jackknife.
        seed: the run's seed.
    """
    mmd, without = mmd_rbf_jackknife(pairwise, real_pairwise, groups)
    extrapolated = fd_infinity(features, real, stream(seed, "metrics/fd_infinity"))
    labels = np.repeat([c.label for c in classes], [len(c.pairwise) for c in classes])
    diversity, variance = vendi_with_variance(pairwise, labels)
    per_class = [c.vendi for c in classes]
    repeated, original = sum(c.copies for c in classes), authentic(pairwise, real_pairwise)
    scores = {
        # A jackknife would take 15 distances per group, and say nothing of the line's own error.
        "fd_infinity": (extrapolated, (None, None)),
        "mmd_rbf": (mmd, interval(mmd, without)),
        "vendi": (diversity, variance.interval(diversity)),
        "intra_vendi": (float(np.mean(per_class)), (None, None)),
        "authenticity": share_with_interval(int(original.sum()), len(original)),
        "copies": share_with_interval(repeated, len(pairwise)),
    }
    counts = [c.pair_copies for c in classes]
    if None not in counts:
        scores["pair_copies"] = share_with_interval(sum(counts), len(pairwise))
    return scores
