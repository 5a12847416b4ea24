"""List image folders: which files are images, in what order, and of which class.

The rules are documented in docs/guide/own_data.md. All code that reads a folder of images uses
these functions, so the same folder gives the same images everywhere.
"""

import os
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tinygan.folders import find_files, scan

SUFFIXES = frozenset(".bmp .gif .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split())
# Files that are common beside images and need no note.
_COMMON = frozenset(
    ".csv .db .htm .html .ini .json .jsonl .lnk .md .tsv .txt .xml .yaml .yml".split()
)


def is_image(name: str) -> bool:
    """Return whether a file counts as an image: by its suffix, in upper or lower case."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def class_key(name: str) -> str:
    """Normalise a class name for comparison: Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", name)


def printable(name: str) -> str:
    """Return a file name, with bytes that are not valid UTF-8 escaped as ``\\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def first_level(folder: Path) -> tuple[list[str], dict[str, Path]]:
    """List the images and sub-folders directly in a folder; hidden entries are skipped.

    Returns:
        the names of the image files, and the sub-folders by class name, both sorted by name.

    Raises:
        ValueError: a link is broken, or two folder names differ only in their Unicode form.
    """
    images, folders = [], {}
    for entry, is_folder in sorted(scan(folder), key=lambda item: item[0].name):
        if not is_folder:
            images += [entry.name] if is_image(entry.name) else []
        elif (key := class_key(entry.name)) in folders:
            raise ValueError(f"{folder} has two folders named {key!r}, in two forms of Unicode")
        else:
            folders[key] = Path(entry.path)
    return images, {key: folders[key] for key in sorted(folders)}


def list_images(folder: Path) -> list[str]:
    """List the images of a folder recursively: relative paths, sorted by code points.

    A note on standard error counts the other files.

    Raises:
        ValueError: it has no image, but files with other suffixes; or see `tinygan.folders.scan`.
    """
    images, others = [], []
    for name, _ in find_files(folder):
        (images if is_image(name) else others).append(name)
    others = sorted(name for name in others if os.path.splitext(name)[1].lower() not in _COMMON)
    if others and not images:
        raise ValueError(
            f"{folder} has {_count(others)}, but none with the suffix of an image "
            f"({' '.join(sorted(SUFFIXES))}); rename them, or convert them"
        )
    if others:
        note(f"{folder}: skipped {_count(others)}, such as {others[0]}")
    return sorted(images)


def count_images(folder: Path) -> int:
    """Count the images of a folder recursively, without a note about other files."""
    return sum(is_image(name) for name, _ in find_files(folder))


def _count(names: Iterable[str]) -> str:
    suffixes = Counter(os.path.splitext(name)[1] or "no suffix" for name in names)
    kinds = ", ".join(suffix for suffix, _ in suffixes.most_common(5))
    return f"{suffixes.total()} files that are not images ({kinds})"


@cache  # print each note once, however often a folder is listed
def note(text: str) -> None:
    """Print a note to standard error."""
    print(f"note: {printable(text)}", file=sys.stderr, flush=True)
