"""Mean and covariance of features in a .npz file, as published reference statistics are.

The arrays are called ``mu`` and ``sigma``, as in the files of Heusel et al. (2017) and of the
programs that followed. They say neither which network nor which resize the features are of.
"""

from pathlib import Path

import numpy as np

from tinygan.data.npz import names_in_npz, read_npz_array
from tinygan.files import atomic_file
from tinygan.metrics.fid import Gaussian
from tinygan.metrics.moments import Moments

NAMES = ("mu", "sigma")
_ASYMMETRY = 1e-6  # of a covariance, as a fraction of its largest entry


def is_statistics(path: Path) -> bool:
    """Return whether a path is a .npz file with ``mu`` and ``sigma``."""
    path = Path(path)
    return path.suffix == ".npz" and path.is_file() and set(NAMES) <= set(names_in_npz(path))


def read_statistics(path: Path) -> Gaussian:
    """Read ``mu`` [d] and ``sigma`` [d, d].

    Raises:
        ValueError: they are not a mean and a covariance.
    """
    mean, covariance = (read_npz_array(path, name).astype(np.float64) for name in NAMES)
    d = mean.size
    if mean.ndim != 1 or covariance.shape != (d, d):
        raise ValueError(
            f"{path}: expected mu [d] and sigma [d, d], found {list(mean.shape)} and "
            f"{list(covariance.shape)}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError(f"{path}: mu or sigma has NaN or infinity")
    if np.abs(covariance - covariance.T).max() > _ASYMMETRY * np.abs(covariance).max():
        raise ValueError(f"{path}: sigma is not symmetric, so it is no covariance")
    # The number of samples is not in the file; d + 1 says that the covariance may have full rank.
    return Gaussian.of_moments(Moments(d + 1, mean, covariance * d))


def write_statistics(path: Path, features: np.ndarray) -> None:
    """Write mean and covariance (over N - 1) of features [N, d] as float64, atomically."""
    moments = Moments.of(features)
    with atomic_file(path) as partial, open(partial, "wb") as file:
        np.savez(file, mu=moments.mean, sigma=moments.covariance)
