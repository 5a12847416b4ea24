"""The two square crops of published ImageNet work: an image file -> a square of `size` px.

`sngan` is for the images that students train on, `biggan` for those of the FID statistics. Both
resize with Pillow's bilinear filter, which antialiases when it shrinks. The steps of `sngan` before
that were ImageMagick's: `convert -resize 256x256^ -quality 95 -gravity center -extent 256x256`.
"""

import io
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from tinygan.data.decode import decode, decode_scaled, subsampling_of

CROPS = ("sngan", "biggan")
_SHORT = 256

Crop = Callable[[Path | BinaryIO], Image.Image]


class TooSmall(ValueError):
    """The image is smaller than the crop allows; the file itself is fine."""


def crop_of(name: str, size: int, jpeg_quality: int | None = None, *, draft: bool = False) -> Crop:
    """Return the crop of this name as a function of an image file.

    Args:
        name: one of `CROPS`.
        size: side of the result in pixels.
        jpeg_quality: see `crop_sngan`.
        draft: for `biggan`, decode JPEGs at a reduced size, with a shorter side of at least `size`
            px. No effect on `sngan`: few photographs have twice its 256 px.

    Raises:
        ValueError: there is no such crop.
    """
    if name == "biggan":
        return partial(_file_biggan, size=size, draft=draft)
    if name == "sngan":
        return partial(_file_sngan, size=size, jpeg_quality=jpeg_quality)
    raise ValueError(f"unknown crop {name!r}: choose one of {', '.join(CROPS)}")


def _file_biggan(file: Path | BinaryIO, size: int, draft: bool) -> Image.Image:
    image, full = decode_scaled(file, size if draft else None)
    return crop_biggan(image, size, full)


def _file_sngan(file: Path | BinaryIO, size: int, jpeg_quality: int | None) -> Image.Image:
    chroma = None if jpeg_quality is None else subsampling_of(file)
    return crop_sngan(decode(file), size, jpeg_quality, chroma)


def crop_biggan(image: Image.Image, size: int, full: tuple[int, int] | None = None) -> Image.Image:
    """Crop the central square, its side the shorter one, then resize bilinearly to `size` px.

    Args:
        image: RGB.
        size: side of the result in pixels.
        full: width and height in the file, if `image` was decoded at 1/2, 1/4 or 1/8 of it.
    """
    width, height = full or image.size
    side = min(width, height)
    # Python rounds halves to even, as the code behind the published statistics does.
    left, top = round((width - side) / 2), round((height - side) / 2)
    scale = round(width / image.width)
    box = [edge / scale for edge in (left, top, left + side, top + side)]
    # The filter reads beyond its box, so crop first, to whole pixels.
    left, top = math.floor(box[0]), math.floor(box[1])
    square = image.crop((left, top, math.ceil(box[2]), math.ceil(box[3])))
    box = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    return square.resize((size, size), Image.Resampling.BILINEAR, box)


def crop_sngan(
    image: Image.Image, size: int, jpeg_quality: int | None = None, chroma: str | None = None
) -> Image.Image:
    """Resize the shorter side to 256 px (Lanczos), crop the center, resize bilinearly to `size` px.

    Args:
        image: RGB.
        size: side of the result in pixels.
        jpeg_quality: pass the 256 px square through JPEG of this quality; None skips this.
        chroma: chroma subsampling of that JPEG, which ImageMagick takes from the file; None: that
            of a file without any, ``4:4:4`` from quality 90 on, else ``4:2:0``.

    Raises:
        TooSmall: a side is shorter than 256 px.
    """
    width, height = image.size
    short = min(width, height)
    if short < _SHORT:
        raise TooSmall(f"{width} x {height} px: a side is shorter than {_SHORT}")
    # ImageMagick rounds the longer side half up, and the offsets down.
    width, height = ((side * _SHORT * 2 + short) // (short * 2) for side in image.size)
    left, top = (width - _SHORT) // 2, (height - _SHORT) // 2
    square = _lanczos(image, (width, height), (left, top, left + _SHORT, top + _SHORT))
    if jpeg_quality is not None:
        encoded = io.BytesIO()
        chroma = chroma or ("4:4:4" if jpeg_quality >= 90 else "4:2:0")
        square.save(encoded, "JPEG", quality=jpeg_quality, subsampling=chroma)
        square = Image.open(encoded)
    return square.resize((size, size), Image.Resampling.BILINEAR)


def _lanczos(
    image: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int]
) -> Image.Image:
    """Resize an RGB image and cut out a box of the result.

    In floats, rounded once at the end, as ImageMagick does: Pillow's own filter for bytes rounds
    after each direction, and then a fifth of the pixels differs by a level after JPEG.
    """
    bands = []
    for band in image.split():
        resized = band.convert("F").resize(size, Image.Resampling.LANCZOS).crop(box)
        levels = np.clip(np.floor(np.asarray(resized) + 0.5), 0, 255)
        bands.append(Image.fromarray(levels.astype(np.uint8)))
    return Image.merge("RGB", bands)
