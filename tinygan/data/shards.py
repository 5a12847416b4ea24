"""The shard store: everything that is trained on or scored is a folder of NumPy arrays.

A shard covers a range of classes and holds

    images.npy     uint8    [N, H, W, 3]
    labels.npy     int64    [N]            class index, in order of class
    z.npy          float32  [N, z_dim]     teacher pairs only
    manifest.json  counts, names of the classes, source, SHA-256 of each array, provenance

A class is its name: a label means what ``class_names`` in the manifest says (for ImageNet, the
WNID), and stores are matched by it. The content of a shard depends on (seed, class) alone, never on
how classes are cut into shards.
"""

import platform
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tinygan.classes.by_name import Names, match, merge, relabel, warn_unnamed
from tinygan.external import check_content
from tinygan.files import atomic_folder, read_json, sha256, write_json

FORMAT = 1
FILES = ("images.npy", "labels.npy", "z.npy", "manifest.json")


@dataclass(frozen=True)
class Shard:
    """One shard, its arrays memory-mapped read-only.

    Attributes:
        folder: where it lies.
        manifest: the content of manifest.json.
        images: uint8 [N, H, W, 3].
        labels: int64 [N].
        z: float32 [N, z_dim], or None where the images have no latent vector.
        class_names: the name of each label; None where the manifest names none.
    """

    folder: Path
    manifest: dict[str, Any]
    images: np.ndarray
    labels: np.ndarray
    z: np.ndarray | None
    class_names: dict[int, str] | None = None


class ShardWriter:
    """A shard that is being written, rows after rows; see `new_shard`.

    Attributes:
        provenance: what else decides the content; may be added to until the shard is closed.
    """

    def __init__(
        self, folder: Path, partial: Path, provenance: dict[str, Any], names: Names | None
    ) -> None:
        self.provenance = dict(provenance)
        self._folder, self._partial, self._names = folder, partial, names
        self._arrays: dict[str, _GrowingArray] = {}
        self._counts: dict[int, int] = {}
        self._files = ExitStack()

    def append(self, images: np.ndarray, labels: np.ndarray, z: np.ndarray | None = None) -> None:
        """Write rows to disk; none of them stays in memory.

        Args:
            images: uint8 [N, H, W, 3], N > 0.
            labels: integers [N], class indices in ascending order, none below those before.
            z: float [N, z_dim]; with every call or with none.

        Raises:
            ValueError: the arrays do not have these types, shapes or order.
            OSError: a full disk, among others.
        """
        rows = {"images": np.asarray(images), "labels": np.asarray(labels, dtype=np.int64)}
        if z is not None:
            rows["z"] = np.asarray(z, dtype=np.float32)
        _check(rows, self._folder)
        if not self._arrays:
            for name, array in rows.items():
                file = self._files.enter_context(open(self._partial / f"{name}.npy", "wb"))
                self._arrays[name] = _GrowingArray(file, array)
        found = {name: array.shape[1:] for name, array in rows.items()}
        if found != (before := {name: array.row for name, array in self._arrays.items()}):
            raise ValueError(f"shard {self._folder}: rows of {found} after rows of {before}")
        if self._counts and rows["labels"][0] < max(self._counts):
            raise ValueError(f"shard {self._folder}: labels must be in ascending order")
        for name, array in rows.items():
            self._arrays[name].append(array)
        for label, count in zip(*np.unique(rows["labels"], return_counts=True), strict=True):
            self._counts[int(label)] = self._counts.get(int(label), 0) + int(count)

    def _close(self, source: str) -> None:
        """Complete the arrays and describe them in the manifest."""
        if not self._arrays:
            raise ValueError(f"shard {self._folder}: no rows were written")
        for array in self._arrays.values():
            array.write_header()
        self._files.close()
        described = {
            name: {
                "shape": [array.count, *array.row],
                "dtype": str(array.dtype),
                "sha256": sha256(self._partial / f"{name}.npy"),
            }
            for name, array in self._arrays.items()
        }
        manifest = {
            "format": FORMAT,
            "source": source,
            "count": sum(self._counts.values()),
            "classes": {str(label): count for label, count in self._counts.items()},
            **self._class_names(),
            "arrays": described,
            "provenance": self.provenance,
            "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        }
        write_json(self._partial / "manifest.json", manifest)

    def _class_names(self) -> dict[str, dict[str, str]]:
        if self._names is None:
            return {}
        try:
            names = {str(label): self._names[label] for label in self._counts}
        except LookupError:
            raise ValueError(
                f"shard {self._folder}: {len(self._names)} classes have names, which do not "
                f"include all of the labels {list(self._counts)}"
            ) from None
        return {"class_names": names}


class _GrowingArray:
    """A .npy file of rows; NumPy's header keeps room for their number, so it is written twice."""

    def __init__(self, file: BinaryIO, first: np.ndarray) -> None:
        self.file, self.dtype, self.row, self.count = file, first.dtype, first.shape[1:], 0
        self.write_header()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def write_header(self) -> None:
        self.file.seek(0)
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (self.count, *self.row)}
        np.lib.format.write_array_header_1_0(self.file, header)


@contextmanager
def new_shard(
    folder: Path, *, source: str, provenance: dict[str, Any], names: Names | None = None
) -> Iterator[ShardWriter]:
    """Give a writer for one shard, which appears when the block ends, or not at all on error.

    Args:
        folder: the shard's folder; a shard there is replaced.
        source: what made the images, e.g. ``"teacher"``.
        provenance: what else decides the content (config, seed, hashes of inputs).
        names: the name of each label, by which the shard is matched with others (for ImageNet, the
            WNID); None where the labels have none.

    Raises:
        ValueError: nothing was written, or a label without a name.
        FileExistsError: the folder holds other files than a shard's.
        OSError: the shard cannot be written; nothing is left behind, what stood there stays.
    """
    folder = Path(folder)
    with atomic_folder(folder, FILES) as partial:
        writer = ShardWriter(folder, partial, provenance, names)
        with writer._files:
            yield writer
            writer._close(source)


def write_shard(
    folder: Path,
    images: np.ndarray,
    labels: np.ndarray,
    z: np.ndarray | None = None,
    *,
    source: str,
    provenance: dict[str, Any],
    names: Names | None = None,
) -> None:
    """Write one shard at once; see `new_shard` and `ShardWriter.append`."""
    with new_shard(folder, source=source, provenance=provenance, names=names) as writer:
        writer.append(images, labels, z)


def open_shard(folder: Path, *, verify: bool = False) -> Shard:
    """Open the shard in `folder` (or the shard of the manifest.json that is given).

    Args:
        folder: a shard's folder or the path of its manifest.
        verify: compare the arrays' SHA-256 with the manifest's, once a process (reads everything).

    Raises:
        FileNotFoundError: no shard there.
        ValueError: the shard is damaged or not one of this format.
    """
    folder = Path(folder)
    if folder.name == "manifest.json":
        folder = folder.parent
    path = folder / "manifest.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a shard: it has no manifest.json")
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{path} is not a shard manifest of format {FORMAT}")
    arrays: dict[str, np.ndarray] = {}
    for name, described in manifest["arrays"].items():
        file = folder / f"{name}.npy"
        try:
            check_content(file)
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"{file} cannot be read ({error}); make the shard again") from error
        if list(array.shape) != described["shape"] or str(array.dtype) != described["dtype"]:
            raise ValueError(f"{file} is not the array that {path} describes; make the shard again")
        if verify and _sha256_of(file, file.stat().st_mtime_ns) != described["sha256"]:
            raise ValueError(
                f"{file} does not have the SHA-256 recorded in {path}: it was changed, or the disk "
                f"has damaged it. Delete the shard, rm -r {shlex.quote(str(folder))}, and make it "
                "again, in the pipeline by calling Snakemake as before"
            )
        arrays[name] = array
    _check(arrays, folder)
    names = _read_names(path, manifest)
    return Shard(folder, manifest, arrays["images"], arrays["labels"], arrays.get("z"), names)


def _read_names(path: Path, manifest: dict[str, Any]) -> dict[int, str] | None:
    names = manifest.get("class_names")
    if names is None:
        return None
    if (
        not isinstance(names, dict)
        or names.keys() != manifest["classes"].keys()
        or not all(isinstance(name, str) for name in names.values())
    ):
        raise ValueError(
            f"{path}: class_names must give each label under `classes` a name, as in "
            '{"0": "cat", "1": "dog"}'
        )
    return {int(label): name for label, name in names.items()}


@cache
def _sha256_of(file: Path, _: int) -> str:
    """Return a file's SHA-256; it is read again only when its modification time has changed."""
    return sha256(file)


def find_manifests(folder: Path) -> list[Path]:
    """Return the manifests of a shard store: of the folder and of its visible sub-folders."""
    found = [*folder.glob("manifest.json"), *folder.glob("*/manifest.json")]
    # A name with a dot is that of a shard which was never completed.
    return sorted(path for path in found if not path.relative_to(folder).parts[0].startswith("."))


def open_store(
    folders: Iterable[Path],
    classes: Sequence[str] | None = None,
    *,
    what: str = "the store",
    verify: bool = False,
) -> list[Shard]:
    """Open the shards of one store, in ascending order of class.

    Args:
        folders: the shards' folders, or their manifests.
        classes: the names of the run's classes, in the order of the class index: the labels become
            those of the run, by name. None leaves them as they are.
        what: the store, for messages.
        verify: see `open_shard`.

    Raises:
        ValueError: no shard is given, image sizes differ, a class is in two shards, or the store
            has not the classes of the run.
    """
    opened = (open_shard(folder, verify=verify) for folder in folders)
    shards = sorted(opened, key=lambda shard: int(shard.labels[0]))
    if not shards:
        raise ValueError("a shard store needs at least one shard")
    seen: dict[str, Path] = {}
    for shard in shards:
        if shard.images.shape[1:] != shards[0].images.shape[1:]:
            raise ValueError(
                f"{shard.folder} has images of {shard.images.shape[1:]}, "
                f"{shards[0].folder} of {shards[0].images.shape[1:]}"
            )
        for label in shard.manifest["classes"]:
            if label in seen:
                raise ValueError(f"class {label} is in {seen[label]} and in {shard.folder}")
            seen[label] = shard.folder
    names = merge([shard.class_names for shard in shards], what=f"the shards of {what}")
    return shards if classes is None else _relabelled(shards, names, classes, what)


def _relabelled(
    shards: Sequence[Shard], names: dict[int, str] | None, classes: Sequence[str], what: str
) -> list[Shard]:
    """Give the rows of a store the labels of the run."""
    if names is None:
        warn_unnamed(what)
        return list(shards)
    match(names, classes, what=what, exact=True)
    relabelled = []
    for shard in shards:
        labels, found = relabel(shard.labels, shard.class_names, classes, what=what)
        relabelled.append(replace(shard, labels=labels, class_names=found))
    return sorted(relabelled, key=lambda shard: int(shard.labels.min()))


def _check(arrays: dict[str, np.ndarray], folder: Path) -> None:
    images, labels, z = arrays.get("images"), arrays.get("labels"), arrays.get("z")
    if images is None or labels is None:
        raise ValueError(f"shard {folder} needs the arrays images and labels")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            f"shard {folder}: images must be uint8 [N, H, W, 3], not {images.dtype} {images.shape}"
        )
    if labels.shape != images.shape[:1] or len(labels) == 0:
        raise ValueError(f"shard {folder}: {labels.shape} labels for {len(images)} images")
    if np.any(np.diff(labels) < 0) or labels[0] < 0:
        raise ValueError(f"shard {folder}: labels must be class indices in ascending order")
    if z is not None and (z.ndim != 2 or len(z) != len(images)):
        raise ValueError(f"shard {folder}: z must be [{len(images)}, z_dim], not {z.shape}")
