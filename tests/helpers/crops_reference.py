"""The two crops by their definitions."""

from pathlib import Path

import numpy as np
from PIL import Image


def plain_biggan(rgb: np.ndarray, size: int) -> np.ndarray:
    """The definition: a centred square of the shorter side, halves to even, then resized."""
    height, width, _ = rgb.shape
    side = min(height, width)
    top, left = int(np.rint((height - side) / 2.0)), int(np.rint((width - side) / 2.0))
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    return np.asarray(Image.fromarray(square).resize((size, size), Image.BILINEAR))


def plain_sngan(rgb: np.ndarray, size: int, quality: int | None, folder: Path) -> np.ndarray:
    """The definition, through a JPEG file on disk."""
    height, width, _ = rgb.shape
    scale = 256 / min(height, width)
    wide, high = int(np.floor(width * scale + 0.5)), int(np.floor(height * scale + 0.5))
    whole = np.asarray(Image.fromarray(rgb).resize((wide, high), Image.LANCZOS))
    top, left = int((high - 256) / 2), int((wide - 256) / 2)
    square = Image.fromarray(np.ascontiguousarray(whole[top : top + 256, left : left + 256]))
    if quality is not None:
        square.save(folder / "square.jpg", quality=quality, subsampling="4:4:4")
        square = Image.open(folder / "square.jpg")
    return np.asarray(square.resize((size, size), Image.BILINEAR))
