"""The speed of preparing real images: images per second and core, for a folder of images.

    python benchmarks/bench_preprocess.py FOLDER [--size 128] [--rounds 3]

Compared at the same output size: the package's two crops, `biggan` also with `real.draft`; the
`biggan` crop in plain Pillow; and, if ImageMagick is installed, one `identify` and one `convert`
per file, the usual way to the `sngan` crop (it ends at 256 px, before the last resize). The files
are in the page cache.
"""

import argparse
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from tinygan.data.crops import Crop, TooSmall, crop_of
from tinygan.data.image_folders import SUFFIXES


def packaged(path: Path, crop: Crop) -> bytes | None:
    """Prepare a file as `tinygan real-shard` does; None if the image is too small for the crop."""
    try:
        return crop(path).tobytes()
    except TooSmall:
        return None


def pixels(content: bytes) -> np.ndarray:
    """Return the values 0 to 255 of a prepared image as int16, which can be subtracted."""
    return np.frombuffer(content, np.uint8).astype(np.int16)


def plain(path: Path, size: int) -> bytes:
    """Prepare a file with the `biggan` crop in plain Pillow."""
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (round((length - side) / 2) for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((size, size), Image.Resampling.BILINEAR).tobytes()


def magick(path: Path, out: Path) -> None:
    """Prepare a file with ImageMagick's programs."""
    subprocess.run(["identify", "-format", "%w %h", path], check=True, capture_output=True)
    command = ["convert", "-resize", "256x256^", "-quality", "95", "-gravity", "center"]
    subprocess.run([*command, "-extent", "256x256", path, out], check=True)


def has_magick() -> bool:
    """Return whether `identify` and `convert` are those of ImageMagick."""
    if not (shutil.which("identify") and shutil.which("convert")):
        return False
    version = subprocess.run(["convert", "-version"], capture_output=True, text=True).stdout
    return "ImageMagick" in version


def rate(function: Callable[[Path], object], files: list[Path], rounds: int) -> float:
    """Return images per second: the best of some rounds over all files."""
    best = 0.0
    for _ in range(rounds):
        started = time.perf_counter()
        for file in files:
            function(file)
        best = max(best, len(files) / (time.perf_counter() - started))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of images, searched recursively")
    parser.add_argument("--size", type=int, default=128, help="output size in px (default: 128)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    options = parser.parse_args()
    files = sorted(f for f in options.folder.rglob("*") if f.suffix.lower() in SUFFIXES)
    biggan = partial(packaged, crop=crop_of("biggan", options.size))
    draft = partial(packaged, crop=crop_of("biggan", options.size, draft=True))
    sngan = partial(packaged, crop=crop_of("sngan", options.size, 95))
    same = [biggan(file) == plain(file, options.size) for file in files]
    shapes = np.median([Image.open(file).size for file in files], axis=0).astype(int)
    print(
        f"{len(files)} images, median {shapes[0]} x {shapes[1]} px, to {options.size} px; "
        f"Pillow {PIL.__version__}, {platform.machine()}, {os.cpu_count()} cores, one used; "
        f"biggan equal to plain Pillow's: {sum(same)} of {len(same)}"
    )
    exact, scaled = (np.stack([pixels(crop(file)) for file in files]) for crop in (biggan, draft))
    differences = np.abs(exact - scaled)
    print(f"draft against exact: mean {differences.mean():.2f}, maximum {differences.max()}\n")
    print("| implementation | images/s |\n| :-- | --: |")
    implementations = {
        "biggan crop": biggan,
        "biggan crop with draft": draft,
        "biggan crop, plain Pillow": partial(plain, size=options.size),
        "sngan crop with JPEG 95": sngan,
    }
    for name, prepare in implementations.items():
        print(f"| {name} | {rate(prepare, files, options.rounds):.0f} |")
    if has_magick():
        with tempfile.TemporaryDirectory() as folder:
            prepare = partial(magick, out=Path(folder) / "out.jpg")
            print(f"| ImageMagick, identify and convert | {rate(prepare, files, 1):.1f} |")


if __name__ == "__main__":
    main()
