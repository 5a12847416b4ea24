"""The shard store: images for training and scoring, as folders of NumPy arrays.

A shard contains a range of classes:

    images.npy     uint8    [N, H, W, 3]
    labels.npy     int64    [N]            class index, ascending
    z.npy          float32  [N, z_dim]     only with latent vectors
    manifest.json  counts, class names, source, SHA-256 of each array, provenance

Classes are identified by name: ``class_names`` in the manifest gives the name of each label (for
ImageNet, the WNID), and stores are matched by it. The images of a class depend on the seed and the
class only, not on how classes are split into shards.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinygan.classes.by_name import Names, match, merge, relabel, warn_unnamed
from tinygan.data.shard_writer import FORMAT, ShardWriter, check_arrays
from tinygan.external import check_content
from tinygan.files import atomic_folder, read_json, sha256

FILES = ("images.npy", "labels.npy", "z.npy", "manifest.json")


@dataclass(frozen=True)
class Shard:
    """One shard, its arrays memory-mapped read-only.

    Attributes:
        folder: the shard's folder.
        manifest: the content of manifest.json.
        images: uint8 [N, H, W, 3].
        labels: int64 [N].
        z: float32 [N, z_dim], or None if the images have no latent vectors.
        class_names: the name of each label; None if the manifest has none.
    """

    folder: Path
    manifest: dict[str, Any]
    images: np.ndarray
    labels: np.ndarray
    z: np.ndarray | None
    class_names: dict[int, str] | None = None


@contextmanager
def new_shard(
    folder: Path, *, source: str, provenance: dict[str, Any], names: Names | None = None
) -> Iterator[ShardWriter]:
    """Yield a writer for one shard, which appears when the block ends, or not at all on error.

    Args:
        folder: the shard's folder; an existing shard is replaced.
        source: where the images come from, e.g. ``"teacher"``.
        provenance: what else determines the content (config, seed, hashes of inputs).
        names: the name of each label, by which the shard is matched with others (for ImageNet, the
            WNID); None if there are no names.

    Raises:
        ValueError: nothing was written, or a label has no name.
        FileExistsError: the folder contains files that do not belong to a shard.
        OSError: the shard cannot be written; an existing shard is left as it was.
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
    """Write one shard from arrays; see `new_shard` and `ShardWriter.append`."""
    with new_shard(folder, source=source, provenance=provenance, names=names) as writer:
        writer.append(images, labels, z)


def open_shard(folder: Path, *, verify: bool = False) -> Shard:
    """Open a shard, its arrays memory-mapped.

    Args:
        folder: the shard's folder, or the path of its manifest.json.
        verify: check the SHA-256 of the arrays, once per process (reads everything).

    Raises:
        FileNotFoundError: there is no shard.
        ValueError: the shard is damaged, or has another format.
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
            raise ValueError(f"{file} cannot be read ({error}); recreate the shard") from error
        if list(array.shape) != described["shape"] or str(array.dtype) != described["dtype"]:
            raise ValueError(f"{file} is not the array that {path} describes; recreate the shard")
        if verify and _sha256_of(file, file.stat().st_mtime_ns) != described["sha256"]:
            raise ValueError(
                f"{file} does not have the SHA-256 recorded in {path}: it was changed, or the disk "
                f"is damaged. Delete the shard, rm -r {shlex.quote(str(folder))}, and recreate it; "
                "in the pipeline, run Snakemake again"
            )
        arrays[name] = array
    check_arrays(arrays, folder)
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
            f"{path}: class_names must have a name for each label under `classes`, as in "
            '{"0": "cat", "1": "dog"}'
        )
    return {int(label): name for label, name in names.items()}


@cache
def _sha256_of(file: Path, _: int) -> str:
    """Return the SHA-256 of a file, cached until its modification time changes."""
    return sha256(file)


def find_manifests(folder: Path) -> list[Path]:
    """Return the manifests of a shard store: in the folder and in its visible sub-folders."""
    paths = [*folder.glob("manifest.json"), *folder.glob("*/manifest.json")]
    # A leading dot marks the temporary folder of an incomplete shard.
    return sorted(path for path in paths if not path.relative_to(folder).parts[0].startswith("."))


def open_store(
    folders: Iterable[Path],
    classes: Sequence[str] | None = None,
    *,
    what: str = "the store",
    verify: bool = False,
) -> list[Shard]:
    """Open the shards of one store, in ascending order of class.

    Args:
        folders: the folders of the shards, or their manifests.
        classes: the names of the run's classes, in the order of the class index: labels are mapped
            to these indices, by name. None keeps the labels.
        what: the store, for messages.
        verify: see `open_shard`.

    Raises:
        ValueError: no shard is given, image sizes differ, a class is in two shards, or the store
            does not have the classes of the run.
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
    """Map the labels of a store to the run's class indices."""
    if names is None:
        warn_unnamed(what)
        return list(shards)
    match(names, classes, what=what, exact=True)
    relabelled = []
    for shard in shards:
        labels, class_names = relabel(shard.labels, shard.class_names, classes, what=what)
        relabelled.append(replace(shard, labels=labels, class_names=class_names))
    return sorted(relabelled, key=lambda shard: int(shard.labels.min()))
