"""Class folders of images, any size -> the files of each class."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tinygan.data.image_folders import class_key, first_level, list_images

# Reads the bytes of a file; it has to be called before the next file is asked for.
Read = Callable[[], bytes]
# Lists the files of one class in order of name.
ListClass = Callable[[], Iterator[tuple[str, Read]]]


def open_image_folder(path: Path, names: Sequence[str]) -> list[ListClass]:
    """Find the folders of these classes; other folders beside them are passed over.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a class has no folder; the path is a level too high or too low.
    """
    folders = class_folders(path)
    require(path, folders, names)
    return [partial(list_folder, folders[class_key(name)]) for name in names]


def class_folders(path: Path) -> dict[str, Path]:
    """Return the visible sub-folders of a folder, by `class_key` of their names.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: images lie right in it, so that it is a level too low; or see `first_level`.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"real.path: {path} is not a folder of class folders")
    images, folders = first_level(path)
    if images:
        raise ValueError(
            f"real.path: {path} has images such as {images[0]} right in it; images lie in one "
            f"folder a class: if this is one class, give the folder above, {path.resolve().parent}"
        )
    return folders


def require(path: Path, found: Iterable[str], wanted: Sequence[str]) -> None:
    """Refuse with ValueError a path that lacks a class; name the level below if that has it."""
    found = set(found)
    missing = [name for name in wanted if class_key(name) not in found]
    if not missing:
        return
    for below in sorted(found):
        if any((path / below / f"{missing[0]}{suffix}").exists() for suffix in ("", ".tar")):
            raise ValueError(
                f"real.path: the classes lie not in {path} but in {path / below}: give that"
            )
    near = difflib.get_close_matches(missing[0], found, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"real.path: {path} lacks {len(missing)} of {len(wanted)} classes: "
        f"{', '.join(missing[:10])}{hint}"
    )


def list_folder(folder: Path) -> Iterator[tuple[str, Read]]:
    """List the images of one class, see `tinygan.data.image_folders.list_images`."""
    for name in list_images(folder):
        yield name, (folder / name).read_bytes
