"""One hash over the external files that a job reads; the job reruns when the hash changes.

For images, it covers the names, sizes and modification times of the files that the job reads. If
all of them are gone, it is the empty string, and the job's outputs stay valid.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tinygan.config.derived import teacher_handle
from tinygan.data.dataset import open_dataset
from tinygan.data.image_folders import class_key, first_level, is_image
from tinygan.data.shards import find_manifests
from tinygan.files import digest_json
from tinygan.folders import entries_state, folder_state
from tinygan.teacher import MODULES
from tinygan.teacher.fingerprint import sha256_of, with_files

_ARRAYS = ("manifest.json", "images.npy", "labels.npy", "z.npy")


def real_origin(config: Mapping[str, Any], classes: range) -> str:
    """Return the hash over the real images of some classes, under real.path.

    A single tar of all classes counts as one file. The listing of real.path is cached.

    Args:
        config: validated, `classes` as names, and without a packaged dataset.
        classes: class indices.
    """
    path = Path(config["real"]["path"])
    if path.is_file():
        return entries_state(path)
    names = [config["classes"][label] for label in classes]
    return _of_classes(path, open_dataset(config["real"]["source"]).class_ids(names))


def source_origin(folder: Path | str, names: Sequence[str]) -> str:
    """Return the hash over the files of an external source that are read for some classes.

    Args:
        folder: a model, a shard store, or a folder of images by class; see `evaluation.sources`.
        names: the names of the classes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return ""
    if (folder / "card.json").is_file():
        return folder_state(folder, _of_model)
    if find_manifests(folder):
        return folder_state(folder, _of_store)
    return _of_classes(folder, names)


def teacher_origin(config: Mapping[str, Any]) -> str:
    """Return the teacher's fingerprint, which each of its shards records.

    It is a hash over contents, so a copied teacher has the same one; 1 GB takes about a second. A
    module at a URL, which may not have been downloaded yet, has the URL, or `teacher.sha256`.

    Args:
        config: validated.

    Raises:
        FileNotFoundError, ValueError: the teacher or one of `teacher.files` does not exist.
    """
    teacher, handle = config["teacher"], teacher_handle(config)
    fingerprint = _fingerprint(teacher["kind"], handle)
    if "://" in handle:
        fingerprint = teacher["sha256"] or fingerprint
    return with_files(fingerprint, teacher["files"])


@cache
def _fingerprint(kind: str, handle: str) -> str:
    if kind == "torch":  # its module imports PyTorch, which the driver must not need
        return sha256_of(handle, "teacher.handle")
    return import_module(MODULES[kind]).handle_fingerprint(handle)


def _of_model(name: str) -> bool:
    return name in ("card.json", "generator.safetensors")


def _of_store(name: str) -> bool:
    *folders, file = name.split("/")
    return file in _ARRAYS and len(folders) <= 1


def _of_classes(path: Path, names: Sequence[str]) -> str:
    try:
        states = [_of_class(path, name) for name in names]
    except (OSError, ValueError) as error:
        # The job that reads the images reports the error.
        return digest_json(str(error))
    return digest_json(states) if all(states) else ""


def _of_class(path: Path, name: str) -> str:
    if (tar := path / f"{name}.tar").is_file():
        return entries_state(tar)
    folder = _folders(path).get(class_key(name))
    return folder_state(folder, is_image) if folder else ""


@cache
def _folders(path: Path) -> dict[str, Path]:
    return first_level(path)[1] if path.is_dir() else {}
