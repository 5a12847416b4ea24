"""The two square crops of published ImageNet work: a decoded image -> a square of `size` px.

`sngan` prepares the images that students train on, `biggan` those of the FID statistics
(Pillow's bilinear filter, which averages over the pixels that it shrinks).
"""

import io
from collections.abc import Callable
from functools import partial

from PIL import Image

CROPS = ("sngan", "biggan")
_SHORT = 256

Crop = Callable[[Image.Image], Image.Image]


class TooSmall(ValueError):
    """An image that the crop's own rule leaves out; nothing is wrong with its file."""


def crop_of(name: str, size: int, jpeg_quality: int | None = None) -> Crop:
    """Return the crop of this name as a function of an RGB image.

    Raises:
        ValueError: there is no such crop.
    """
    if name == "biggan":
        return partial(crop_biggan, size=size)
    if name == "sngan":
        return partial(crop_sngan, size=size, jpeg_quality=jpeg_quality)
    raise ValueError(f"unknown crop {name!r}: choose one of {', '.join(CROPS)}")


def crop_biggan(image: Image.Image, size: int) -> Image.Image:
    """Cut the middle square of the shorter side, then resize bilinearly to `size` px."""
    width, height = image.size
    side = min(width, height)
    # Python rounds halves to even, as the code behind the published statistics did.
    left, top = round((width - side) / 2), round((height - side) / 2)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((size, size), Image.Resampling.BILINEAR)


def crop_sngan(image: Image.Image, size: int, jpeg_quality: int | None = None) -> Image.Image:
    """Shorter side to 256 px (Lanczos), middle 256 px square, JPEG, then bilinearly to `size` px.

    Args:
        image: RGB.
        size: side of the result in pixels.
        jpeg_quality: the square goes through JPEG of this quality without chroma subsampling, as
            ImageMagick writes it from 90 on; None leaves the step out.

    Raises:
        TooSmall: a side is shorter than 256 px.
    """
    width, height = image.size
    short = min(width, height)
    if short < _SHORT:
        raise TooSmall(f"{width} x {height} px: a side is shorter than {_SHORT}")
    # ImageMagick rounds the longer side half up and centres with integer halves.
    width, height = ((side * _SHORT * 2 + short) // (short * 2) for side in image.size)
    left, top = (width - _SHORT) // 2, (height - _SHORT) // 2
    square = image.resize((width, height), Image.Resampling.LANCZOS)
    square = square.crop((left, top, left + _SHORT, top + _SHORT))
    if jpeg_quality is not None:
        packed = io.BytesIO()
        square.save(packed, "JPEG", quality=jpeg_quality, subsampling=0)
        square = Image.open(packed)
    return square.resize((size, size), Image.Resampling.BILINEAR)
