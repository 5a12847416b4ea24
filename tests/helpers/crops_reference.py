"""The two crops by their definitions."""

import shutil
import subprocess
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


def plain_sngan(
    rgb: np.ndarray, size: int, quality: int | None, folder: Path, chroma: str = "4:4:4"
) -> np.ndarray:
    """The definition, through a JPEG file on disk."""
    height, width, _ = rgb.shape
    scale = 256 / min(height, width)
    wide, high = int(np.floor(width * scale + 0.5)), int(np.floor(height * scale + 0.5))
    bands = [Image.fromarray(rgb[..., i].astype(np.float32)) for i in range(3)]
    whole = np.stack([band.resize((wide, high), Image.LANCZOS) for band in bands], axis=-1)
    whole = np.floor(whole.clip(0, 255) + 0.5).astype(np.uint8)
    top, left = int((high - 256) / 2), int((wide - 256) / 2)
    square = Image.fromarray(np.ascontiguousarray(whole[top : top + 256, left : left + 256]))
    if quality is not None:
        square.save(folder / "square.jpg", quality=quality, subsampling=chroma)
        square = Image.open(folder / "square.jpg")
    return np.asarray(square.resize((size, size), Image.BILINEAR))


def lanczos(rows: np.ndarray, count: int) -> np.ndarray:
    """Resample the first axis of an array to `count` rows by Lanczos's filter of three lobes.

    Each new row is the weighted mean of the old ones around its centre; when it shrinks, the filter
    is as much wider, so that it averages.
    """
    scale = len(rows) / count
    centres = (np.arange(count) + 0.5) * scale
    x = (np.arange(len(rows)) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = np.where(abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return np.tensordot(weights / weights.sum(1, keepdims=True), rows, axes=1)


def magick_sngan(path: Path, size: int, folder: Path) -> np.ndarray:
    """What the authors' preprocessing makes of a file: ImageMagick, then a bilinear resize."""
    out = folder / "magick.jpg"
    command = ["convert", "-resize", "256x256^", "-quality", "95", "-gravity", "center"]
    subprocess.run([*command, "-extent", "256x256", path, out], check=True)
    square = Image.open(out).convert("RGB")
    return np.asarray(square.resize((size, size), Image.BILINEAR))


def has_magick() -> bool:
    """Return whether ImageMagick's `convert` is installed."""
    if not shutil.which("convert"):
        return False
    done = subprocess.run(["convert", "-version"], capture_output=True, text=True)
    return "ImageMagick" in done.stdout
