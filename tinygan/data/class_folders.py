"""A folder of images in one sub-folder per class -> the files of each class."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tinygan.data.image_folders import class_key, first_level, list_images

# Reads the bytes of a file; call it before taking the next file of the iterator.
Read = Callable[[], bytes]
# Lists the files of one class, sorted by name.
ListClass = Callable[[], Iterator[tuple[str, Read]]]


def open_class_folders(path: Path, names: Sequence[str]) -> list[ListClass]:
    """Find the folders of these classes; other folders are ignored.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a class has no folder, or the path is a level too high or too low.
    """
    folders = class_folders(path)
    require_classes(path, folders, names)
    return [partial(list_folder, folders[class_key(name)]) for name in names]


def class_folders(path: Path) -> dict[str, Path]:
    """Return the visible sub-folders of a folder, by `class_key` of their names.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: images are directly in it, so it is a level too low; or see `first_level`.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"real.path: {path} is not a folder of class folders")
    images, folders = first_level(path)
    if images:
        raise ValueError(
            f"real.path: {path} has images such as {images[0]} directly in it, but needs one "
            f"folder per class: if this is one class, give its parent, {path.resolve().parent}"
        )
    return folders


def require_classes(path: Path, available: Iterable[str], wanted: Sequence[str]) -> None:
    """Refuse, with ValueError, a path that lacks a class; suggest a sub-folder that has it."""
    available = set(available)
    missing = [name for name in wanted if class_key(name) not in available]
    if not missing:
        return
    for folder in sorted(available):
        if any((path / folder / f"{missing[0]}{suffix}").exists() for suffix in ("", ".tar")):
            raise ValueError(
                f"real.path: the classes are not in {path} but in {path / folder}: give that"
            )
    near = difflib.get_close_matches(missing[0], available, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"real.path: {path} lacks {len(missing)} of {len(wanted)} classes: "
        f"{', '.join(missing[:10])}{hint}"
    )


def list_folder(folder: Path) -> Iterator[tuple[str, Read]]:
    """List the images of one class, see `tinygan.data.image_folders.list_images`."""
    for name in list_images(folder):
        yield name, (folder / name).read_bytes
