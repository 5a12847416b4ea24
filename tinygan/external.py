"""What comes from outside, named for what it is: failed downloads, and files of another kind."""

import gzip
import urllib.error
from pathlib import Path

_HEAD = 512
# How a file begins, and what to do about it where something else is expected.
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
_ANSWERS = {
    "an HTML page": (b"<!doctype html", b"<html", b"<head", b"<script"),
    "an XML answer of a server": (b"<?xml", b"<error"),
    "a JSON answer of a server": (b'{"error', b'{"message', b'{"detail'),
}


def check_content(path: Path, *allowed: str) -> None:
    """Refuse a file whose first bytes show that it is not what its name says.

    Args:
        path: an existing path.
        allowed: what may be there: ``zip``, ``gzip`` or ``hdf5``.

    Raises:
        ValueError: it is a folder, empty, a Git LFS pointer, a web page, or of a kind that is not
            allowed; the message says what to do.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder, where a file is needed")
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if words := _described(head, allowed):
        raise ValueError(f"{path} is {words}")


def content_problem(head: bytes) -> str:
    """Return in words what these first bytes of a file are, if they are no data; empty else."""
    return _described(head, ("zip", "gzip", "hdf5"))


def _described(head: bytes, allowed: tuple[str, ...]) -> str:
    if not head:
        return "empty: get it again"
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for words, starts in _ANSWERS.items():
        if text.startswith(starts):
            return (
                f"{words} and not the file itself: download the file, not the page about it "
                "(with a login where the page asks for one)"
            )
    for kind, (start, words) in _KINDS.items():
        if head.startswith(start) and kind not in allowed:
            return words
    return ""


def reason(error: BaseException) -> str:
    """Return in words why a download failed."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, gzip.BadGzipFile):
        return "what comes is no archive"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no connection: {cause.strerror}"
    return str(cause) or type(cause).__name__
