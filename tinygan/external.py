"""External files: recognise web pages, archives and Git LFS pointers, and explain failures."""

import gzip
import urllib.error
from pathlib import Path

_HEAD = 512
# The first bytes of each kind of file, and what to say where another kind is expected.
_KINDS: dict[str, tuple[bytes, str]] = {
    "lfs": (
        b"version https://git-lfs",
        "a Git LFS pointer and not the file itself: run `git lfs pull` in its repository",
    ),
    "zip": (b"PK\x03\x04", "a ZIP archive, as torch.save and NumPy's savez write them"),
    "gzip": (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    "hdf5": (b"\x89HDF", "an HDF5 file"),
    "rar": (b"Rar!", "a RAR archive: unpack it first"),
    "7z": (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    "pdf": (b"%PDF", "a PDF document"),
}
_DRIVE = (
    "a page of Google Drive and not the file itself: Drive cannot scan it for viruses, or it was "
    "downloaded too often; open its address in a browser and confirm the download there"
)
_RESPONSES = {
    "an HTML page": (b"<!doctype html", b"<html", b"<head", b"<script"),
    "an XML response of a server": (b"<?xml", b"<error"),
    "a JSON response of a server": (b'{"error', b'{"message', b'{"detail'),
}


def check_content(path: Path, *allowed: str) -> None:
    """Refuse a file whose first bytes show that it is not what its name says.

    Args:
        path: an existing path.
        allowed: archives that are expected: ``zip``, ``gzip`` or ``hdf5``.

    Raises:
        ValueError: it is a folder, empty, a Git LFS pointer, a web page, or of a kind that is not
            allowed; the message says what to do.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder, but a file is needed")
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if problem := _problem(head, allowed):
        raise ValueError(f"{path} is {problem}")


def content_problem(head: bytes) -> str:
    """Describe the first bytes of a file if they are not data, e.g. a web page; else empty."""
    return _problem(head, ("zip", "gzip", "hdf5"))


def _problem(head: bytes, allowed: tuple[str, ...]) -> str:
    if not head:
        return "empty: download it again"
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith(_RESPONSES["an HTML page"]) and b"google drive" in text:
        return _DRIVE
    for response, starts in _RESPONSES.items():
        if text.startswith(starts):
            return (
                f"{response} and not the file itself: download the file, not the page about it "
                "(log in first if the page requires it)"
            )
    for kind, (start, description) in _KINDS.items():
        if head.startswith(start) and kind not in allowed:
            return description
    return ""


def reason(error: BaseException) -> str:
    """Explain why a download failed."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server returned {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "the server did not respond in time"
    if isinstance(cause, gzip.BadGzipFile):
        return "the download is not a valid archive"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no connection: {cause.strerror}"
    return str(cause) or type(cause).__name__
