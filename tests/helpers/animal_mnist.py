"""A small wheel of Animal-MNIST."""

import gzip
import pickle
import zipfile
from pathlib import Path

import numpy as np


def write_wheel(path: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for kind, array in (("data", images), ("label", labels)):
            member = f"animal_mnist/data/Animal_MNIST/animal_{kind}_version_3.gz"
            wheel.writestr(member, gzip.compress(pickle.dumps(array)))
    return path


def small_set() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (30, 28, 28), dtype=np.uint8)
    return images, rng.permutation(np.repeat(np.arange(10), 3))
