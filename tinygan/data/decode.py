"""An image file -> a Pillow image in RGB: one policy for files of any origin."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from tinygan.external import content_problem

# What Pillow's readers raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def decode(file: Path | BinaryIO) -> Image.Image:
    """Decode an image at its own size, see `decode_scaled`."""
    image, _ = decode_scaled(file, None)
    return image


def decode_scaled(
    file: Path | BinaryIO, smallest: int | None
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode an image by its content, whatever its name says.

    Greyscale is repeated three times; palettes and CMYK become RGB as Pillow converts them; an
    alpha channel without effect is dropped; of an animation the first frame is read; EXIF
    orientation is not applied, as published ImageNet statistics never did.

    Args:
        file: an image of any size.
        smallest: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, straight from its cosine
            transform, as far as no side comes below this many pixels; None: at its own.

    Returns:
        the image in mode RGB, 8 bits a channel, and the width and height that its file has.

    Raises:
        ValueError: says why: the file is damaged or no image, has transparent pixels, whose colour
            would have to be made up, or more than 8 bits a channel, which Pillow would cut off.
    """
    try:
        with Image.open(file) as image:
            size = image.size
            if smallest is not None:
                image.draft(None, (smallest, smallest))
            image.load()
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                raise ValueError("it has more than 8 bits a channel; save it with 8")
            if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
                raise ValueError("it has transparent pixels; put it on a background first")
            # A conversion from RGB to RGB would copy it.
            return (image if image.mode == "RGB" else image.convert("RGB")), size
    except UnidentifiedImageError:  # its own message may hold an address in memory
        problem = content_problem(_head(file))
        raise ValueError(
            f"cannot identify an image in it{'; it is ' + problem if problem else ''}"
        ) from None
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def _head(file: Path | BinaryIO) -> bytes:
    if isinstance(file, Path):
        return file.read_bytes()[:512]
    file.seek(0)
    return file.read(512)
