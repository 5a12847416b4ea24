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
from tinygan.metrics.vendi import vendi_jackknife
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
    extrapolated = fd_infinity(features, real, stream(seed, "metrics/fd_infinity"))
    per_class = [c.vendi for c in classes]
    repeated, original = sum(c.copies for c in classes), authentic(pairwise, real_pairwise)
    scores = {
        # A jackknife would take 15 distances per group, and say nothing of the line's own error.
        "fd_infinity": (extrapolated, (None, None)),
        "mmd_rbf": _jackknifed(*mmd_rbf_jackknife(pairwise, real_pairwise, groups)),
        "vendi": _jackknifed(*vendi_jackknife(pairwise, groups)),
        # Nor this: an eigendecomposition per group of each class.
        "intra_vendi": (float(np.mean(per_class)), (None, None)),
        "authenticity": share_with_interval(int(original.sum()), len(original)),
        "copies": share_with_interval(repeated, len(pairwise)),
    }
    counts = [c.pair_copies for c in classes]
    if None not in counts:
        scores["pair_copies"] = share_with_interval(sum(counts), len(pairwise))
    return scores


def _jackknifed(value: float, without: np.ndarray) -> tuple[float, Interval]:
    return value, interval(value, without)
