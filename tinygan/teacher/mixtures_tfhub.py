"""A TF-Hub module, whose input y is a vector, as a teacher of mixed classes."""

from collections.abc import Callable

import numpy as np


def load_mixtures(handle: str, *, device: str) -> Callable[..., np.ndarray]:
    """Load a module that `tinygan.teacher.tfhub` has checked; see `tinygan.teacher.mixtures`.

    Args:
        handle: folder of the module, or its URL.
        device: unused: TensorFlow has its device since that check.

    Returns:
        the function. It raises FloatingPointError for images with NaN or infinity.
    """
    import tensorflow as tf
    import tensorflow_hub as hub

    function = hub.load(handle).signatures["default"]

    @tf.function(autograph=False)
    def pixels(z: tf.Tensor, y: tf.Tensor, truncation: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = function(z=z, y=y, truncation=truncation)["default"]
        # As in the harvest.
        scaled = tf.clip_by_value((images + 1) / 2 * 256, 0, 255)
        return tf.cast(scaled, tf.uint8), tf.reduce_all(tf.math.is_finite(images))

    def teacher(z: np.ndarray, y: np.ndarray, truncation: float) -> np.ndarray:
        given = (tf.constant(each, tf.float32) for each in (z, y, truncation))
        images, finite = pixels(*given)
        if not finite:
            raise FloatingPointError(f"teacher {handle}: an image has NaN or infinite values")
        return images.numpy()

    return teacher
