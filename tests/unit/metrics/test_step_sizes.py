"""The steps of a sequence of images in feature space."""

import numpy as np
import pytest

from tinygan.metrics.smoothness import step_sizes


def test_steps_are_euclidean_distances_between_neighbours() -> None:
    features = np.array([[[0, 0], [3, 4], [3, 4], [9, 12]], [[1, 1], [1, 2], [1, 4], [1, 7]]])
    assert step_sizes(features.astype(np.float32)).tolist() == [[5, 0, 10], [1, 2, 3]]
    # float32 has no number for this step.
    assert step_sizes(np.array([[2.0**24], [-1.0]], np.float32)).tolist() == [2**24 + 1]


def test_one_image_has_no_step() -> None:
    with pytest.raises(ValueError, match="at least two images"):
        step_sizes(np.zeros((1, 3)))
