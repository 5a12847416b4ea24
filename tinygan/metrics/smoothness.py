"""How smooth a sequence of images is: the steps between consecutive ones in feature space."""

import numpy as np


def step_sizes(features: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances between the features of consecutive images.

    Args:
        features: float [..., N, D], N > 1, of N images in order.

    Returns:
        float64 [..., N - 1].

    Raises:
        ValueError: fewer than two images.
    """
    if features.shape[-2] < 2:
        raise ValueError("a sequence needs at least two images to have steps")
    return np.linalg.norm(np.diff(features.astype(np.float64), axis=-2), axis=-1)
