"""The files from outside that a job reads, as one hash: what its freshness depends on.

Of images, the names, sizes and modification times of the files that are read count, and nothing
else. Where none of them is there any more, the hash is the empty string: what was made of them
stays as it is.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tinygan.config.derived import teacher_handle
from tinygan.data.dataset import open_dataset
from tinygan.data.image_folders import class_key, first_level, is_image
from tinygan.data.shards import find_manifests
from tinygan.files import digest_json, entries_state, folder_state
from tinygan.teacher.fingerprint import sha256_of, with_files

_ARRAYS = ("manifest.json", "images.npy", "labels.npy", "z.npy")


def real_origin(config: Mapping[str, Any], classes: range) -> str:
    """Return the hash over the real images of some classes, under real.path.

    The one tar of all classes is one file; a class folder is read once a process.

    Args:
        config: checked, with the names of its classes; the data set is not a packaged one.
        classes: class indices.
    """
    path = Path(config["real"]["path"])
    if path.is_file():
        return entries_state(path)
    names = [config["classes"][label] for label in classes]
    return _of_classes(path, open_dataset(config["real"]["source"]).class_ids(names))


def source_origin(folder: Path | str, names: Sequence[str]) -> str:
    """Return the hash over what is read of a source from outside for some classes.

    Args:
        folder: a model, a shard store, or a folder of images by class, see `evaluation.sources`.
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
    """Return what identifies the teacher: its fingerprint, which every shard of it records.

    It is a hash over bytes, not times, so that a teacher that is copied is the same one; 1 GB takes
    about a second.

    Raises:
        FileNotFoundError, ValueError: it is not there.
    """
    fingerprint = _fingerprint(config["teacher"]["kind"], teacher_handle(config))
    return with_files(fingerprint, config["teacher"]["files"])


@cache
def _fingerprint(kind: str, handle: str) -> str:
    if kind == "torch":
        return sha256_of(handle, "teacher.handle")
    if kind == "python":
        from tinygan.teacher.callable import handle_fingerprint
    else:
        from tinygan.teacher.tfhub import handle_fingerprint
    return handle_fingerprint(handle)


def _of_model(name: str) -> bool:
    return name in ("card.json", "generator.safetensors")


def _of_store(name: str) -> bool:
    *folders, file = name.split("/")
    return file in _ARRAYS and len(folders) <= 1


def _of_classes(path: Path, names: Sequence[str]) -> str:
    try:
        states = [_of_class(path, name) for name in names]
    except (OSError, ValueError) as error:
        # The job that reads it says what is wrong.
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
