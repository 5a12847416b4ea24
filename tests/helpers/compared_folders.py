"""Folders of noise images to compare, and an extractor that can be followed by hand."""

from pathlib import Path

import numpy as np
from PIL import Image

from tinygan.features.extractor import Extractor


def corners(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An extractor that can be followed by hand: four pixels of the red channel."""
    features = images[:, [0, 0, -1, -1], [0, -1, 0, -1], 0].astype(np.float32)
    return features, features[:, :3] / 50


EXTRACTOR = Extractor("corners", "ab" * 32, 8, "none at all", corners)


def pixels(count: int, side: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def write(folder: Path, images: np.ndarray, suffix: str = "png") -> Path:
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:04d}.{suffix}")
    return folder
