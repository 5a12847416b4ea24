"""Download a file over HTTP: several addresses in order, resumed after a break, checked.

With `urllib` of the standard library, because every environment of the pipeline has it: it follows
redirects and passes `Range` on. Ranges, truncated transfers and pages in place of files would have
to be handled here with `requests`, too.
"""

import errno
import fcntl
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tinygan import __version__
from tinygan.external import content_problem, reason
from tinygan.files import read_json, write_json

_CHUNK = 1 << 20  # bytes per read
_TIMEOUT = 60  # seconds without a byte
_ATTEMPTS = 3  # per address, each resuming the one before


class DownloadError(OSError):
    """No address has the file; the message has the reason for each of them."""


class DiskError(OSError):
    """The download cannot be written here; another address would not help."""


class _Broken(OSError):
    """The transfer ended early; what has arrived is on disk."""


def download(
    addresses: Sequence[str], partial: Path, accept: Callable[[Path], None], *, label: str
) -> None:
    """Download a file from the first address that has it.

    Args:
        addresses: URLs, tried in this order.
        partial: file for the incomplete download. It stays after a break, and the next call
            resumes it; `accept` may move it, and afterwards it is deleted.
        accept: called with the complete download; raises ValueError if it is not the right file.
        label: its name for the progress bar on standard error.

    Raises:
        DiskError: it cannot be written.
        DownloadError: no address has it.
        BlockingIOError: another process is downloading into the same folder.
    """
    with _writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
    problems = []
    with _alone(partial.parent):
        for address in addresses:
            try:
                _complete(address, partial, label)
                accept(partial)
                _discard(partial)
                return
            except DiskError:
                raise
            except ValueError as error:  # not the right file, or not an address
                _discard(partial)
                problems.append(f"{address}: {error}")
            except (OSError, http.client.HTTPException) as error:
                problems.append(f"{address}: {reason(error)}")
    raise DownloadError("; ".join(problems))


def _complete(address: str, partial: Path, label: str) -> None:
    """Download a file, and resume it as often as it breaks after some progress."""
    for _ in range(_ATTEMPTS - 1):
        before = _size(partial)
        try:
            return _transfer(address, partial, label)
        except (_Broken, TimeoutError, ConnectionError):
            if _size(partial) <= before:
                raise
    _transfer(address, partial, label)


def _transfer(address: str, partial: Path, label: str) -> None:
    """Download a file, or the rest of it, in one request.

    Raises:
        ValueError: the server sent a page and not the file.
        _Broken: it ended early.
        DiskError: it cannot be written.
        OSError, HTTPException: see `urllib.request.urlopen`.
    """
    start, state = _resume_point(address, partial)
    if start and start == state["size"]:
        return
    headers = {"User-Agent": f"tinygan/{__version__}"}
    if start:
        headers |= {"Range": f"bytes={start}-"}
        headers |= {"If-Range": state["version"]} if state["version"] else {}
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if not start or error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        _discard(partial)
        return _transfer(address, partial, label)
    with response:
        size, resumes = _announced(response, start)
        if start and resumes and size != state["size"]:  # another version of the file
            _discard(partial)
            return _transfer(address, partial, label)
        start = start if resumes else 0
        chunks = _chunks(response)
        first = next(chunks, b"")
        if not start and (problem := _page(response, first)):
            raise ValueError(problem)
        with (
            _writing(partial),
            open(partial, "r+b" if start else "wb") as file,
            tqdm(total=size, initial=start, desc=label, unit="B", unit_scale=True) as progress,
        ):
            _require_space(partial.parent, size, start)
            state = {"address": address, "size": size, "version": _version(response)}
            write_json(_state(partial), state)
            file.seek(start)
            file.truncate()
            for chunk in chain([first], chunks):
                file.write(chunk)
                progress.update(len(chunk))
    if size not in (None, _size(partial)):
        raise _Broken(f"the transfer was interrupted after {_size(partial):,} of {size:,} bytes")


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield a response; raise `_Broken` where it is cut off."""
    try:
        while chunk := response.read(_CHUNK):
            yield chunk
    except http.client.IncompleteRead as error:
        yield error.partial
        raise _Broken("the transfer was interrupted") from error
    except OSError as error:
        raise _Broken(f"the transfer was interrupted ({reason(error)})") from error


def _announced(response: http.client.HTTPResponse, start: int) -> tuple[int | None, bool]:
    """Return the file's size, None if unknown, and whether the response begins at `start`."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers["Content-Range"] or "")
        if match is None or int(match[1]) != start:
            raise ValueError("the server sent another part of the file than was requested")
        return int(match[2]), True
    length = response.headers["Content-Length"]
    return (int(length) if length else None), False


def _page(response: http.client.HTTPResponse, first: bytes) -> str:
    """Describe a response that is a page and not a file, such as a login page; else empty."""
    problem = content_problem(first[:4096])
    if not problem and response.headers.get_content_type() == "text/html":
        problem = "an HTML page and not the file itself"
    return f"the download is {problem}" if problem else ""


def _version(response: http.client.HTTPResponse) -> str | None:
    """Return what names this version of the file in If-Range: a strong ETag, or a date."""
    tag = response.headers["ETag"]
    return tag if tag and not tag.startswith("W/") else response.headers["Last-Modified"]


def _resume_point(address: str, partial: Path) -> tuple[int, dict[str, Any]]:
    """Return how many bytes are there from this address, and what is known of the file."""
    try:
        state = read_json(_state(partial))
        known = state["address"] == address and state["size"] is not None
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    return (_size(partial), state) if known else (0, {"size": None, "version": None})


def _state(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _state(partial).unlink(missing_ok=True)


def _require_space(folder: Path, size: int | None, start: int) -> None:
    free = shutil.disk_usage(folder).free
    if size is not None and size - start > free:
        raise OSError(
            errno.ENOSPC, f"{size - start:,} bytes are needed, but {free:,} are free in {folder}"
        )


@contextmanager
def _writing(partial: Path) -> Iterator[None]:
    """Re-raise errors of the disk as `DiskError`; what has arrived stays, to be resumed."""
    try:
        yield
    except _Broken:
        raise
    except OSError as error:
        raise DiskError(
            f"cannot write {partial} ({error.strerror or error}): free space there, or set "
            "TINYGAN_CACHE to another folder, and run again"
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse to run beside another download into the same folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"another process is downloading into {folder}: wait for it"
            ) from None
        except OSError:  # the disk does not support locks
            pass
        yield
    finally:
        os.close(descriptor)
