"""Sets of images: files in a folder, optionally in one sub-folder per class, shards, or a .npz."""

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
from tinygan.data.npz import names_in_npz, read_npz_array
from tinygan.data.shards import Shard, find_manifests, open_store


@dataclass(frozen=True)
class ImageSet:
    """Images that are read on demand.

    Attributes:
        path: the folder or file.
        kind: ``"files"``, ``"shards"`` or ``"npz"``.
        readers: one function per image, which reads it as uint8 [H, W, 3].
        labels: the class name of each image, in order of class; None if there are no classes.
    """

    path: Path
    kind: str
    readers: Sequence[Callable[[], np.ndarray]]
    labels: Sequence[str] | None

    def choose(self, count: int, rng: np.random.Generator) -> Self:
        """Draw `count` images without replacement and keep their order; ValueError if too few."""
        if not 1 <= count <= len(self.readers):
            raise ValueError(f"{self.path} has {len(self.readers)} images, cannot draw {count}")
        rows = np.sort(rng.permutation(len(self.readers))[:count])
        labels = None if self.labels is None else [self.labels[i] for i in rows]
        return type(self)(self.path, self.kind, [self.readers[i] for i in rows], labels)


class ImageReader(Sequence):
    """Reads the images of a set, once and in order; counts their sizes and hashes their pixels.

    Attributes:
        sizes: "WIDTHxHEIGHT" -> number of images read so far.
    """

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
        """SHA-256 over the images read so far: of each, "H W " in ASCII and H x W x 3 bytes."""
        return self._digest.hexdigest()


def open_images(folder: Path, *, by_class: bool = True) -> ImageSet:
    """List the images of a folder or .npz file; nothing is decoded yet.

    A .npz file has images as its array ``arr_0``, and may have labels as ``arr_1``, as the
    reference batches of Dhariwal and Nichol (2021) have.

    A folder with a manifest.json, in it or in its sub-folders, is a shard store. Any other one is
    listed as image files, see `tinygan.data.image_folders`. If all images are in sub-folders, the
    names of the first level are the classes; sub-folders without images are skipped.

    Args:
        folder: the folder or .npz file.
        by_class: False ignores the classes.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there are no images, some are beside class folders, or a shard is damaged.
    """
    folder = Path(folder)
    if folder.is_file() and folder.suffix == ".npz":
        return _open_npz(folder, by_class)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is not a folder: give a folder of images or of shards, or a .npz file"
        )
    if manifests := find_manifests(folder):
        shards = open_store(manifests, verify=True)
        readers = [partial(s.images.__getitem__, i) for s in shards for i in range(len(s.labels))]
        labels = [_class_of(shard, label) for shard in shards for label in shard.labels.tolist()]
        if by_class and any(shard.class_names is None for shard in shards):
            warn_unnamed(str(folder), "as class names")
        return ImageSet(folder, "shards", readers, labels if by_class else None)
    files, labels = (_by_class if by_class else _flat)(folder)
    if not files:
        suffixes = " ".join(sorted(SUFFIXES))
        raise ValueError(
            f"{folder} has no images: no shards, and no files with a suffix of {suffixes}"
        )
    return ImageSet(folder, "files", [partial(read_image, file) for file in files], labels)


def _open_npz(path: Path, by_class: bool) -> ImageSet:
    """Open the batch of images in a .npz file; ValueError if it has none."""
    names = names_in_npz(path)
    if "arr_0" not in names:
        found = ", ".join(names) or "no arrays"
        raise ValueError(f"{path} has {found}, but no arr_0 with images uint8 [N, H, W, 3]")
    images = read_npz_array(path, "arr_0")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ValueError(
            f"{path}: arr_0 is {images.dtype} {list(images.shape)}; it must be images "
            "uint8 [N, H, W, 3]"
        )
    readers, labels = [partial(images.__getitem__, i) for i in range(len(images))], None
    if by_class and "arr_1" in names:
        given = read_npz_array(path, "arr_1")
        if given.shape != (len(images),) or given.dtype.kind not in "iu":
            raise ValueError(
                f"{path}: arr_1 is {given.dtype} {list(given.shape)}; it must be a class index for "
                f"each of the {len(images)} images, or ignore the classes (--no-classes)"
            )
        order = np.argsort(given, kind="stable")
        readers, labels = [readers[i] for i in order], list(map(str, given[order].tolist()))
    return ImageSet(path, "npz", readers, labels)


def _flat(folder: Path) -> tuple[list[Path], None]:
    return [folder / name for name in list_images(folder)], None


def _by_class(folder: Path) -> tuple[list[Path], list[str] | None]:
    top_level, folders = first_level(folder)
    if top_level:
        if any(count_images(path) for path in folders.values()):
            raise ValueError(
                f"{folder} has images such as {top_level[0]} beside sub-folders with images: move "
                "them into the folders of their classes, or ignore the classes (--no-classes)"
            )
        return _flat(folder)
    classes = {name: list_images(path) for name, path in folders.items()}
    if any(classes.values()) and (empty := [name for name in classes if not classes[name]]):
        note(f"{folder}: skipped {len(empty)} folders without images, such as {empty[0]}")
    files = [folders[name] / image for name, images in classes.items() for image in images]
    return files, [name for name, images in classes.items() for _ in images]


def _class_of(shard: Shard, label: int) -> str:
    """Return the name of a class, or its number if it has no name."""
    return str(label) if shard.class_names is None else shard.class_names[label]


def read_image(path: Path) -> np.ndarray:
    """Read an image file as uint8 [H, W, 3], see `tinygan.data.decode.decode`.

    Raises:
        ValueError: the file is damaged or not an image, has transparent pixels, or more than 8 bits
            per channel.
    """
    try:
        return np.asarray(decode(path))
    except ValueError as error:
        raise ValueError(f"{path} cannot be scored: {error}") from error
