"""Interpolations on disk: a folder with images.npy and a manifest that describes its paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.external import check_content
from tinygan.files import atomic_folder, read_json, sha256, write_json
from tinygan.generation.paths import LatentPath

FORMAT = 1
FILES = ("images.npy", "manifest.json")


@dataclass(frozen=True)
class Interpolation:
    """The interpolations of one teacher or student.

    Attributes:
        source: ``teacher``, or the student's variant.
        seed: the seed of its training; 0 for the teacher.
        paths: for each path its ``kind``, its number ``path`` among those of its kind, and
            ``classes``, the names of the classes at its two ends.
        images: uint8 [paths, steps + 1, H, W, 3].
    """

    source: str
    seed: int
    paths: list[dict[str, Any]]
    images: np.ndarray


def write_interpolation(
    folder: Path,
    images: np.ndarray,
    paths: Sequence[LatentPath],
    *,
    names: Sequence[str],
    source: str,
    seed: int,
    provenance: dict[str, Any],
) -> None:
    """Write a folder, whole or not at all.

    Args:
        folder: absent, empty, or written by this function.
        images: uint8 [paths, steps + 1, H, W, 3].
        paths: the paths.
        names: the names of all classes, in the order of the class index.
        source, seed: see `Interpolation`.
        provenance: what else decided the images.

    Raises:
        FileExistsError, OSError: see `tinygan.files.atomic_folder`.
    """
    with atomic_folder(folder, FILES) as partial:
        np.save(partial / "images.npy", images)
        described = [
            {"kind": p.kind, "path": p.index, "classes": [names[label] for label in p.classes]}
            for p in paths
        ]
        manifest = {"format": FORMAT, "source": source, "seed": seed, "paths": described}
        digest = {"images_sha256": sha256(partial / "images.npy")}
        write_json(partial / "manifest.json", manifest | digest | {"provenance": provenance})


def read_interpolation(manifest: Path) -> Interpolation:
    """Read a folder, given its manifest.json; the images are memory-mapped.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the images are not those that the manifest describes.
    """
    described, file = read_json(manifest), manifest.with_name("images.npy")
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ValueError(f"{manifest} is not a manifest of interpolations of format {FORMAT}")
    if sha256(file) != described["images_sha256"]:
        raise ValueError(f"{file} is not the file that {manifest} describes: interpolate again")
    check_content(file)
    images = np.load(file, mmap_mode="r", allow_pickle=False)
    return Interpolation(described["source"], described["seed"], described["paths"], images)
