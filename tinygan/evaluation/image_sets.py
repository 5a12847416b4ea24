"""Images as they lie in folders: files, with or without one sub-folder a class, or shard stores."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from tinygan.classes.by_name import warn_unnamed
from tinygan.data.decode import decode
from tinygan.data.image_folders import SUFFIXES, count_images, first_level, list_images, note
from tinygan.data.shards import Shard, find_manifests, open_store


@dataclass(frozen=True)
class ImageSet:
    """Images that are read when they are asked for.

    Attributes:
        path: the folder.
        kind: ``"files"`` or ``"shards"``.
        readers: one function an image, which reads it as uint8 [H, W, 3].
        labels: the name of each image's class, in order of class; None where there are no classes.
    """

    path: Path
    kind: str
    readers: Sequence[Callable[[], np.ndarray]]
    labels: Sequence[str] | None

    def choose(self, count: int, rng: np.random.Generator) -> Self:
        """Draw `count` images without replacement, in their order; ValueError for too few."""
        if not 1 <= count <= len(self.readers):
            raise ValueError(f"{self.path} has {len(self.readers)} images, not {count} to draw")
        rows = np.sort(rng.permutation(len(self.readers))[:count])
        labels = None if self.labels is None else [self.labels[i] for i in rows]
        return type(self)(self.path, self.kind, [self.readers[i] for i in rows], labels)


class Reading(Sequence):
    """The images of a set, read once and in order; keeps count of sizes and hashes the pixels."""

    def __init__(self, images: ImageSet):
        self._readers = images.readers
        self._digest = hashlib.sha256()
        self.sizes: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._readers)

    def __getitem__(self, rows: slice) -> list[np.ndarray]:
        images = [read() for read in self._readers[rows]]
        for image in images:
            height, width, _ = image.shape
            self.sizes[f"{width}x{height}"] += 1
            self._digest.update(f"{height} {width} ".encode() + image.tobytes())
        return images

    @property
    def sha256(self) -> str:
        """SHA-256 over the images read so far: "H W " in ASCII and the H W 3 bytes of each."""
        return self._digest.hexdigest()


def open_images(folder: Path, *, by_class: bool = True) -> ImageSet:
    """Find the images of a folder; nothing is decoded yet.

    A folder with a manifest.json, in it or in its sub-folders, is a shard store. Any other is read
    as image files, see `tinygan.data.image_folders`. Where all images lie in sub-folders, the first
    level names their classes; sub-folders without images are passed over.

    Args:
        folder: the folder.
        by_class: False ignores the classes.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it has no images, has some beside class folders, or is a damaged shard store.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give a folder of images, or of shards")
    if manifests := find_manifests(folder):
        shards = open_store(manifests, verify=True)
        readers = [partial(s.images.__getitem__, i) for s in shards for i in range(len(s.labels))]
        labels = [_class_of(shard, label) for shard in shards for label in shard.labels.tolist()]
        if by_class and any(shard.class_names is None for shard in shards):
            warn_unnamed(str(folder), "as class names")
        return ImageSet(folder, "shards", readers, labels if by_class else None)
    found, labels = (_by_class if by_class else _flat)(folder)
    if not found:
        known = " ".join(sorted(SUFFIXES))
        raise ValueError(
            f"{folder} has no images: no shards, and no files with a suffix of {known}"
        )
    return ImageSet(folder, "files", [partial(read_image, file) for file in found], labels)


def _flat(folder: Path) -> tuple[list[Path], None]:
    return [folder / name for name in list_images(folder)], None


def _by_class(folder: Path) -> tuple[list[Path], list[str] | None]:
    direct, folders = first_level(folder)
    if direct:
        if any(count_images(place) for place in folders.values()):
            raise ValueError(
                f"{folder} has images such as {direct[0]} beside sub-folders with images: move "
                "them into the folders of their classes, or ignore the classes (--no-classes)"
            )
        return _flat(folder)
    classes = {name: list_images(place) for name, place in folders.items()}
    if any(classes.values()) and (empty := [name for name in classes if not classes[name]]):
        note(f"{folder}: skipped {len(empty)} folders without images, such as {empty[0]}")
    found = [folders[name] / image for name, images in classes.items() for image in images]
    return found, [name for name, images in classes.items() for _ in images]


def _class_of(shard: Shard, label: int) -> str:
    """Return the name of a class, or the number of one that has no name."""
    return str(label) if shard.class_names is None else shard.class_names[label]


def read_image(path: Path) -> np.ndarray:
    """Read an image file as uint8 [H, W, 3], see `tinygan.data.decode.decode`.

    Raises:
        ValueError: the file is damaged or no image, has transparent pixels, or more than 8 bits a
            channel.
    """
    try:
        return np.asarray(decode(path))
    except ValueError as error:
        raise ValueError(f"{path} cannot be scored: {error}") from error
