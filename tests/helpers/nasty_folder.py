"""A folder of images with every oddity that the policy for image folders covers."""

import os
import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.image_files import packed, pixels

SIDE = 32


CAFE = "caf\u00e9"  # composed; its folder has the decomposed name


CLASSES = ["Dog", "dog", CAFE, "two words"]


def image_bytes(seed: int, form: str = "PNG") -> bytes:
    return packed(pixels(seed, SIDE, SIDE), form)


def write_nasty(top: Path) -> Path:
    """Write a folder with 13 images of four classes, and the targets of its links beside it."""
    root, away = top / "nasty", top / "away"
    rgb = Image.fromarray(pixels(9, SIDE, SIDE))
    files = {
        "Dog/1.png": image_bytes(1),
        "dog/b.JPEG": image_bytes(2, "JPEG"),
        "dog/a.Png": image_bytes(3),
        "dog/a b/x.png": image_bytes(4),
        "dog/a/x.png": image_bytes(5),
        "dog/#1.bmp": image_bytes(6, "BMP"),
        "dog/new\nline.png": image_bytes(7),
        "dog/notes.txt": b"no image",
        "dog/.hidden.png": b"no image",
        "dog/.ipynb_checkpoints/x.png": b"no image",
        "dog/Thumbs.db": b"no image",
        "two words/grey.png": packed(pixels(8, SIDE, SIDE)[..., 0].copy(), "PNG"),
        "two words/palette.gif": packed(rgb.quantize(), "GIF"),
        "two words/ink.tif": packed(rgb.convert("CMYK"), "TIFF"),
        ".DS_Store": b"x",
        "readme.md": b"x",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    opaque = np.dstack([pixels(11, SIDE, SIDE), np.full((SIDE, SIDE), 255, np.uint8)])
    (root / "two words" / "opaque.png").write_bytes(packed(opaque, "PNG"))
    with open(os.fsencode(root / "dog") + b"/\xff.png", "wb") as file:
        file.write(image_bytes(12))
    # A class that is a link to a folder, in which a file and a folder are links.
    (away / "more").mkdir(parents=True)
    (away / "more" / "z.png").write_bytes(image_bytes(13))
    (top / "single.png").write_bytes(image_bytes(14))
    (away / "y.png").symlink_to(top / "single.png")
    (away / "linked").symlink_to(away / "more")
    (root / unicodedata.normalize("NFD", CAFE)).symlink_to(away)
    return root


EXPECTED = {
    "Dog": ["1.png"],
    "dog": [
        *["#1.bmp", "a b/x.png", "a.Png", "a/x.png", "b.JPEG", "new\nline.png", "\udcff.png"],
    ],
    CAFE: ["linked/z.png", "more/z.png", "y.png"],
    "two words": ["grey.png", "ink.tif", "opaque.png", "palette.gif"],
}
