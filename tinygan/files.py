"""Files that appear whole or not at all, and their hashes."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

# What `atomic_file` calls a model, log or card that is not whole yet, and safetensors its own file
# on the way there.
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.(safetensors|csv|json)|\.tmp[0-9A-Za-z]{6}")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scan(folder: Path | str) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Yield the visible entries of a folder, in no order, and whether each is a folder.

    Links are followed; entries whose names begin with a dot are passed over.

    Raises:
        ValueError: a link is broken, or leads to itself; an entry is neither file nor folder.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink() and not os.path.exists(entry.path):
                raise ValueError(f"{entry.path} is a broken link: mend it or remove it")
            if not (is_folder := entry.is_dir()) and not entry.is_file():
                raise ValueError(f"{entry.path} is neither a file nor a folder: remove it")
            yield entry, is_folder


def find_files(folder: Path | str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the visible files of a folder at every depth, in no order; links are followed.

    Yields:
        the path from the folder, with slashes, and the entry.

    Raises:
        ValueError: a link is broken, or leads back to a folder that holds it.
    """
    yield from _find_files(folder, "", frozenset())


def _find_files(
    folder: Path | str, prefix: str, above: frozenset[tuple[int, int]]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    status = os.stat(folder)
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise ValueError(f"{folder} is a link back to a folder that holds it: remove it")
    for entry, is_folder in scan(folder):
        if is_folder:
            yield from _find_files(entry.path, f"{prefix}{entry.name}/", above | {here})
        else:
            yield f"{prefix}{entry.name}", entry


@cache
def folder_state(folder: Path | str, wanted: Callable[[str], bool] = bool) -> str:
    """Return a hash over the names, sizes and times of the files that are read of a folder.

    Once a process: a million files take some 10 s. Times of links are those of what they lead to.

    Args:
        folder: searched at every depth, see `find_files`.
        wanted: says of a path from the folder whether the file is read; by default each one is.

    Returns:
        the hash, or the empty string where there is no such file.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: see `find_files`.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    states = [(name, entry.stat()) for name, entry in find_files(folder) if wanted(name)]
    found = hashlib.sha256()
    for name, status in sorted(states, key=lambda state: state[0]):
        found.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    return found.hexdigest() if states else ""


def entries_state(path: Path | str) -> str:
    """Return a hash over the names, sizes and times of a file, or of a folder and its entries.

    What lies deeper is not looked at: a folder of a million files in class folders is quick.

    Raises:
        FileNotFoundError: there is nothing at this path.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    entries = [path, *sorted(path.iterdir())] if path.is_dir() else [path]
    states = [(entry.name, entry.stat()) for entry in entries]
    return digest_json([(name, state.st_size, state.st_mtime_ns) for name, state in states])


def digest_json(value: Any) -> str:
    """Return a short hash of a JSON value that does not depend on the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _full_disk_named(path: Path) -> Iterator[None]:
    """Say which file a full disk has stopped; the errors themselves name none."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(f"cannot write {path}: {error.strerror}; make room and run again") from error
    except Exception as error:
        # By name: what writes tables and figures has no safetensors. It is no OSError, whatever was
        # wrong with the disk.
        if type(error).__name__ != "SafetensorError":
            raise
        raise OSError(f"cannot write {path} ({error}): disk full?") from error


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it becomes `path` on success and goes on error.

    Raises:
        OSError: it cannot be written; a full disk is said with the file's name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: savers such as matplotlib choose the format by it.
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        with _full_disk_named(path):
            partial.touch()
            mode = partial.stat().st_mode
            yield partial
            # Some savers make a file of their own, which only its owner may read.
            partial.chmod(mode)
            _fsync(partial)
            os.replace(partial, path)
            _fsync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sweep(*folders: Path) -> None:
    """Delete the unfinished files that `atomic_file` has left in these folders, if it was killed.

    No other process may be writing there.
    """
    for folder in folders:
        for path in folder.glob(".*"):
            if _PARTIAL.fullmatch(path.name):
                path.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path, own: Collection[str]) -> Iterator[Path]:
    """Give a folder beside `folder` to fill; it replaces it on success and is removed on error.

    What a killed process has left of the same folder, which may be large, is removed first. A link
    to a folder stays, and the folder that it leads to is replaced.

    Args:
        folder: absent, empty, or with nothing but files of the names in `own` (and hidden ones of
            Snakemake).
        own: names of the files that are written.

    Raises:
        FileExistsError: there is something else, which is named; nothing was removed.
        OSError: it cannot be written; after ENOSPC with the folder's name.
    """
    shown, folder = folder, Path(os.path.realpath(folder))
    require_own(shown, own)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    tag = uuid.uuid4().hex[:8]
    partial = folder.with_name(f".{folder.name}.{tag}")
    retired = folder.with_name(f".{folder.name}.{tag}.old")
    partial.mkdir()
    # The lock ends with the process, however that ends.
    mark = os.open(partial, os.O_RDONLY)
    try:
        _try_lock(mark)
        with _full_disk_named(folder):
            yield partial
            for file in partial.rglob("*"):
                _fsync(file)
            _fsync(partial)
            if folder.exists():
                # Once more, because what was written took its time.
                require_own(shown, own)
                os.rename(folder, retired)
            os.rename(partial, folder)
            _fsync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)
        os.close(mark)


def require_file(path: Path) -> None:
    """Refuse, before it is computed, what could not be written to this path.

    Raises:
        OSError: the path is a folder, or its folder neither exists nor can be made or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    above = next(place for place in path.absolute().parents if place.exists())
    if not above.is_dir():
        raise NotADirectoryError(f"{above} is a file, so {path} cannot be written: give another")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: {above} is not yours to write to")


def require_own(folder: Path, own: Collection[str]) -> None:
    """Refuse with FileExistsError a folder that holds what is not of these names."""
    folder = Path(folder)
    above = next(place for place in (folder, *folder.parents) if place.exists())
    if not above.is_dir():
        raise FileExistsError(f"{above} is a file, so {folder} cannot be a folder: give another")
    if above == folder and (others := _others_in(folder, own)):
        raise FileExistsError(
            f"{folder} has files that were not made by this command, such as {others[0]}: nothing "
            "was touched; give another folder, or an empty one"
        )


def _others_in(folder: Path, own: Collection[str]) -> list[str]:
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if (entry.name not in own or entry.is_dir()) and not entry.name.startswith(".snakemake")
    )


def _remove_abandoned(folder: Path) -> None:
    """Remove the unfinished folders that `atomic_folder` has left, if no process holds them."""
    abandoned = re.compile(rf"\.{re.escape(folder.name)}\.[0-9a-f]{{8}}(\.old)?")
    for path in folder.parent.iterdir():
        if abandoned.fullmatch(path.name):
            mark = os.open(path, os.O_RDONLY)
            try:
                if _try_lock(mark):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(mark)


def _try_lock(descriptor: int) -> bool:
    """Lock an open folder; False where another process holds it, or the disk knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically; NaN and infinity are refused with ValueError."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; a broken one raises ValueError with the file's name."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
