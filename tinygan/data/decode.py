"""Decode an image file to RGB: the same rules for images of any origin."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import get_sampling

from tinygan.external import content_problem

# What Pillow raises on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def decode(file: Path | BinaryIO) -> Image.Image:
    """Decode an image at full size, see `decode_scaled`."""
    image, _ = decode_scaled(file, None)
    return image


def decode_scaled(
    file: Path | BinaryIO, smallest: int | None
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode an image by its content; its suffix is ignored.

    Greyscale is repeated three times; Pillow converts palettes and CMYK to RGB; an opaque alpha
    channel is dropped; an animation gives its first frame; EXIF orientation is not applied, as in
    published ImageNet statistics.

    Args:
        file: an image of any size.
        smallest: decode a JPEG at 1/2, 1/4 or 1/8 of its size (in the DCT domain), as long as no
            side falls below this many pixels; None: at full size.

    Returns:
        the image in mode RGB, 8 bits per channel, and the width and height in the file.

    Raises:
        ValueError: the file is damaged or not an image, has transparent pixels, whose colour is
            undefined, or more than 8 bits per channel, which Pillow would truncate.
    """
    try:
        with Image.open(file) as image:
            size = image.size
            if smallest is not None:
                image.draft(None, (smallest, smallest))
            image.load()
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                raise ValueError("it has more than 8 bits per channel; save it with 8")
            if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
                raise ValueError("it has transparent pixels; put it on a background first")
            # Converting RGB to RGB would copy the image.
            return (image if image.mode == "RGB" else image.convert("RGB")), size
    except UnidentifiedImageError:  # its message may contain a memory address
        problem = content_problem(_head(file))
        raise ValueError(
            f"cannot identify the image format{'; it is ' + problem if problem else ''}"
        ) from None
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def subsampling_of(file: Path | BinaryIO) -> str | None:
    """Return the chroma subsampling of a JPEG: ``4:4:4``, ``4:2:2`` or ``4:2:0``.

    None for any other file, and for the rare subsamplings that Pillow cannot write.
    """
    try:
        with Image.open(file) as image:
            number = get_sampling(image) if image.format == "JPEG" else -1
    except _DAMAGE:  # `decode` reports it
        number = -1
    if not isinstance(file, Path):
        file.seek(0)
    return dict(enumerate(("4:4:4", "4:2:2", "4:2:0"))).get(number)


def _head(file: Path | BinaryIO) -> bytes:
    if isinstance(file, Path):
        return file.read_bytes()[:512]
    file.seek(0)
    return file.read(512)
