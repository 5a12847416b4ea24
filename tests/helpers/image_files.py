"""Image files for the tests of real images, odd ones included."""

import io
import struct
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

WNIDS = ["n01440764", "n01443537", "n02105855"]


def pixels(seed: int, width: int, height: int) -> np.ndarray:
    """Return smooth random RGB pixels, uint8 [height, width, 3]."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def packed(image: Image.Image | np.ndarray, form: str = "JPEG", **options) -> bytes:
    """Return the bytes of an image file."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def odd_files() -> dict[str, tuple[bytes, np.ndarray | str]]:
    """Return name -> (bytes, their pixels [H, W, 3] or the reason why they are dropped)."""
    rgb = pixels(1, 60, 48)
    jpeg = packed(rgb, quality=90)
    grey = rgb[..., 0].copy()
    cmyk = packed(Image.fromarray(rgb).convert("CMYK"), quality=90)
    frames = [Image.fromarray(np.full((48, 60, 3), v, np.uint8)) for v in (30, 200)]
    alpha = np.dstack([rgb, np.full((48, 60), 128, np.uint8)])
    # EXIF with the one tag 0x0112 (orientation) = 6: "rotate by 90 degrees to show".
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHHI", 0x0112, 3, 1, 6, 0, 0)
    with Image.open(io.BytesIO(cmyk)) as image:
        assert image.mode == "CMYK"
        ink = np.asarray(image, dtype=np.float64)
    from_ink = np.rint((255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255).astype(np.uint8)
    return {
        "png.JPEG": (packed(rgb, "PNG"), rgb),
        "grey.JPEG": (packed(grey, "PNG"), np.repeat(grey[..., None], 3, axis=2)),
        "cmyk.JPEG": (cmyk, from_ink),
        "rotated.JPEG": (
            packed(rgb, "JPEG", quality=90, exif=exif),
            np.asarray(Image.open(io.BytesIO(jpeg))),
        ),
        "animated.JPEG": (
            packed(frames[0], "GIF", save_all=True, append_images=frames[1:]),
            np.full((48, 60, 3), 30, np.uint8),
        ),
        "opaque.JPEG": (packed(np.dstack([rgb, np.full_like(grey, 255)]), "PNG"), rgb),
        "deep.JPEG": (packed(grey.astype(np.uint16) * 257, "PNG"), "more than 8 bits"),
        "alpha.JPEG": (packed(alpha, "PNG"), "transparent pixels"),
        "empty.JPEG": (b"", "it is empty, 0 bytes"),
        "cut.JPEG": (jpeg[: len(jpeg) // 2], "truncated"),
        "text.JPEG": (b"this is no image", "cannot identify the image format"),
    }


def write_folders(root: Path, classes: dict[str, dict[str, bytes]]) -> Path:
    """Write class folders."""
    for name, files in classes.items():
        (root / name).mkdir(parents=True)
        for file, content in files.items():
            (root / name / file).write_bytes(content)
    return root


def write_tars(root: Path, classes: dict[str, dict[str, bytes]]) -> Path:
    """Write one tar per class; their members are in no order, as in the official ones."""
    root.mkdir(parents=True)
    for name, files in classes.items():
        with tarfile.open(root / f"{name}.tar", "w") as tar:
            for file in reversed(sorted(files)):
                member = tarfile.TarInfo(file)
                member.size = len(files[file])
                tar.addfile(member, io.BytesIO(files[file]))
    return root


def write_nested(path: Path, classes: dict[str, dict[str, bytes]]) -> Path:
    """Write a tar of class tars."""
    folder = write_tars(path.with_suffix(".parts"), classes)
    with tarfile.open(path, "w") as tar:
        for part in sorted(folder.iterdir()):
            tar.add(part, part.name)
    return path
