"""Atomic writes of files and folders, and hashes."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The names of incomplete models, logs and cards: those of `atomic_file`, and the temporary files
# of safetensors.
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.(safetensors|csv|json)|\.tmp[0-9A-Za-z]{6}")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_json(value: Any) -> str:
    """Return a hash of a JSON value, 16 hexadecimal digits, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _naming_file_if_full(path: Path) -> Iterator[None]:
    """Re-raise ENOSPC with the file name, which the original error lacks."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(f"cannot write {path}: {error.strerror}; free space, run again") from error
    except Exception as error:
        # By name, since not every environment has safetensors. Never an OSError, even if disk-full.
        if type(error).__name__ != "SafetensorError":
            raise
        raise OSError(f"cannot write {path} ({error}): disk full?") from error


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it is renamed to `path` on success, deleted on error.

    Raises:
        OSError: it cannot be written; ENOSPC is re-raised with the file name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keep the suffix: matplotlib, for one, chooses the format by it.
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        with _naming_file_if_full(path):
            partial.touch()
            mode = partial.stat().st_mode
            yield partial
            # Some libraries replace the file by one that only its owner may read.
            partial.chmod(mode)
            _fsync(partial)
            os.replace(partial, path)
            _fsync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sweep(*folders: Path) -> None:
    """Delete the temporary files that killed processes left in these folders (see `atomic_file`).

    No other process may be writing there.
    """
    for folder in folders:
        for path in folder.glob(".*"):
            if _PARTIAL.fullmatch(path.name):
                path.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path, own: Collection[str]) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; it replaces it on success, is removed on error.

    Temporary folders of killed processes, which may be large, are removed first. If `folder` is a
    link, the link stays and its target is replaced.

    Args:
        folder: absent, empty, or with files named in `own` only (and Snakemake's hidden ones).
        own: names of the files to be written.

    Raises:
        FileExistsError: the folder contains other files; nothing was removed.
        OSError: it cannot be written; ENOSPC is re-raised with the folder name.
    """
    given, folder = folder, Path(os.path.realpath(folder))
    require_own(given, own)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    tag = uuid.uuid4().hex[:8]
    partial = folder.with_name(f".{folder.name}.{tag}")
    retired = folder.with_name(f".{folder.name}.{tag}.old")
    partial.mkdir()
    # The kernel releases the lock when the process ends, even if it is killed.
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        _try_lock(descriptor)
        with _naming_file_if_full(folder):
            yield partial
            for file in partial.rglob("*"):
                _fsync(file)
            _fsync(partial)
            if folder.exists():
                # Check again: files may have appeared during a long write.
                require_own(given, own)
                os.rename(folder, retired)
            os.rename(partial, folder)
            _fsync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)
        os.close(descriptor)


def require_writable(path: Path) -> None:
    """Check that a file can be written to this path, before its content is computed.

    Raises:
        OSError: the path is a folder, or its folder cannot be created or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise NotADirectoryError(f"{parent} is a file, so {path} cannot be written: give another")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: no write permission for {parent}")


def require_own(folder: Path, own: Collection[str]) -> None:
    """Refuse, with FileExistsError, a folder that contains files of other names than these."""
    folder = Path(folder)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        raise FileExistsError(f"{existing} is a file, so {folder} cannot be a folder: give another")
    if existing == folder and (others := _others_in(folder, own)):
        raise FileExistsError(
            f"{folder} contains files that this command did not write, such as {others[0]}: "
            "nothing was changed; give another folder, or an empty one"
        )


def _others_in(folder: Path, own: Collection[str]) -> list[str]:
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if (entry.name not in own or entry.is_dir()) and not entry.name.startswith(".snakemake")
    )


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary folders of killed processes (see `atomic_folder`)."""
    abandoned = re.compile(rf"\.{re.escape(folder.name)}\.[0-9a-f]{{8}}(\.old)?")
    for path in folder.parent.iterdir():
        if abandoned.fullmatch(path.name):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if _try_lock(descriptor):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Lock an open folder; False if another process holds it, or the disk does not support it."""
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
    """Read a JSON file; an invalid one raises ValueError with the file name."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
