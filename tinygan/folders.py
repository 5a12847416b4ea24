"""What is in a folder: its files, and hashes over them."""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tinygan.files import digest_json, sha256


def folder_sha256(folder: Path) -> str:
    """Return a SHA-256 over the names and bytes of a folder's files, in hexadecimal.

    It is that of the text which `sha256sum` prints for the files, by path relative to the folder,
    folder by folder in ascending order. Links are followed, hidden files skipped.
    """
    names = sorted((name for name, _ in find_files(folder)), key=lambda name: name.split("/"))
    lines = [f"{sha256(Path(folder, name))}  {name}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def scan(folder: Path | str) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Yield the visible entries of a folder, in no particular order, and whether each is a folder.

    Links are followed; entries whose names begin with a dot are skipped.

    Raises:
        ValueError: a link is broken or points to itself; an entry is neither a file nor a folder.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink() and not os.path.exists(entry.path):
                raise ValueError(f"{entry.path} is a broken link: repair or remove it")
            if not (is_folder := entry.is_dir()) and not entry.is_file():
                raise ValueError(f"{entry.path} is neither a file nor a folder: remove it")
            yield entry, is_folder


def find_files(folder: Path | str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the visible files of a folder, recursively, in no particular order, following links.

    Yields:
        the path relative to the folder, with slashes, and the entry.

    Raises:
        ValueError: a link is broken, or points back to a folder that contains it.
    """
    yield from _find_files(folder, "", frozenset())


def _find_files(
    folder: Path | str, prefix: str, parents: frozenset[tuple[int, int]]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    status = os.stat(folder)
    inode = (status.st_dev, status.st_ino)
    if inode in parents:
        raise ValueError(f"{folder} is a link back to a folder that contains it: remove it")
    for entry, is_folder in scan(folder):
        if is_folder:
            yield from _find_files(entry.path, f"{prefix}{entry.name}/", parents | {inode})
        else:
            yield f"{prefix}{entry.name}", entry


@cache
def folder_state(folder: Path | str, wanted: Callable[[str], bool] = bool) -> str:
    """Return a hash over the names, sizes and modification times of a folder's files.

    Cached per process: a million files take about 10 s. A link has the time of its target.

    Args:
        folder: searched recursively, see `find_files`.
        wanted: whether a file, given by its path relative to the folder, counts; default: all.

    Returns:
        the hash in hexadecimal, or the empty string if no file counts.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: see `find_files`.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    files = [(name, entry.stat()) for name, entry in find_files(folder) if wanted(name)]
    digest = hashlib.sha256()
    for name, status in sorted(files, key=lambda file: file[0]):
        digest.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    return digest.hexdigest() if files else ""


def entries_state(path: Path | str) -> str:
    """Return a hash over the names, sizes and times of a file, or of a folder and its entries.

    Not recursive, so fast even for a million files in class folders.

    Raises:
        FileNotFoundError: the path does not exist.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    entries = [path, *sorted(path.iterdir())] if path.is_dir() else [path]
    stats = [(entry.name, entry.stat()) for entry in entries]
    return digest_json([(name, status.st_size, status.st_mtime_ns) for name, status in stats])
