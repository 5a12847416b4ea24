"""Pictures on disk: PNG files, grids and animations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tinygan.files import atomic_file

_FRAME = 80  # ms


def enlarge(images: np.ndarray, scale: int) -> np.ndarray:
    """Repeat each pixel of images [..., H, W, 3] `scale` times in both directions."""
    return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Return images uint8 [N, H, W, 3] side by side, row by row; N is a multiple of `columns`."""
    count, height, width, channels = images.shape
    rows = images.reshape(count // columns, columns, height, width, channels)
    return rows.swapaxes(1, 2).reshape(-1, columns * width, channels)


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an image, uint8 [H, W, 3], to a PNG file, atomically."""
    with atomic_file(path) as partial:
        Image.fromarray(image).save(partial, "PNG")


def write_animation(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Write frames, uint8 [H, W, 3] each, to a GIF or WebP file, atomically; it repeats for ever.

    WebP is lossless. GIF has 256 colours per frame, which is enough for grey images.

    Args:
        path: ends in ``.gif`` or ``.webp``, which decides the format.
        frames: of one size, at least one.
    """
    first, *others = map(Image.fromarray, frames)
    options = {"save_all": True, "append_images": others, "duration": _FRAME, "loop": 0}
    with atomic_file(path) as partial:
        if path.suffix.lower() == ".gif":
            first.save(partial, "GIF", **options)
        else:
            first.save(partial, "WEBP", lossless=True, **options)
