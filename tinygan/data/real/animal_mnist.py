"""Animal-MNIST: 10,000 real animal silhouettes, 28x28 px, 10 classes of 1,000 each, MIT licence.

The wheel `animal-mnist` of the Python package index contains the images as two gzipped pickles of
NumPy arrays. Pickles can run code, so the unpickler here allows the reconstruction of arrays only.
"""

import gzip
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy._core.multiarray import _reconstruct

from tinygan.data.dataset import PackagedDataset

# In the order of its labels.
CLASSES = (
    "bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra",
)  # fmt: skip

_IMAGES = "animal_mnist/data/Animal_MNIST/animal_data_version_3.gz"
_LABELS = "animal_mnist/data/Animal_MNIST/animal_label_version_3.gz"
_SIDE = 28


class _ArrayUnpickler(pickle.Unpickler):
    """Allows the names that rebuild a plain NumPy array, and no others."""

    ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"refused {module}.{name}: only NumPy arrays are allowed"
            ) from None


def read_array(file: BinaryIO) -> np.ndarray:
    """Read one pickled NumPy array without running any other code.

    Raises:
        pickle.UnpicklingError: the pickle needs more than NumPy's array reconstruction.
        ValueError: the pickle is not one numeric array.
    """
    array = _ArrayUnpickler(file).load()
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        raise ValueError("the file is not one plain NumPy array")
    return array


def read_wheel(path: Path, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the images of the wheel, padded with black and repeated to three channels.

    Args:
        path: the wheel.
        image_size: side of the result in pixels, at least 28 and even.

    Returns:
        images uint8 [10000, image_size, image_size, 3] and labels int64 [10000], sorted by label.

    Raises:
        ValueError: the size is too small or odd, or the wheel does not contain the expected arrays.
    """
    if image_size < _SIDE or image_size % 2:
        raise ValueError(f"Animal-MNIST: image_size {image_size} must be even, {_SIDE} px or more")
    with zipfile.ZipFile(path) as wheel:
        arrays = []
        for member in (_IMAGES, _LABELS):
            with wheel.open(member) as compressed, gzip.open(compressed) as file:
                arrays.append(read_array(file))
    images, labels = arrays
    if images.shape[1:] != (_SIDE, _SIDE) or images.dtype != np.uint8:
        raise ValueError(f"{path}: expected uint8 images of {_SIDE} px, found {images.shape}")
    if labels.shape != images.shape[:1] or set(np.unique(labels)) != set(range(len(CLASSES))):
        raise ValueError(f"{path}: expected one label in 0..{len(CLASSES) - 1} for each image")
    pad = (image_size - _SIDE) // 2
    images = np.pad(images, ((0, 0), (pad, pad), (pad, pad)))
    order = np.argsort(labels, kind="stable")
    return np.repeat(images[order, :, :, None], 3, axis=3), labels[order]


DATASET = PackagedDataset(
    title="Animal-MNIST",
    classes=CLASSES,
    images_per_class=1000,
    read=read_wheel,
    image_channels=1,
    sizes=(32, 1024),
)
