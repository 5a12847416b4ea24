"""The fingerprint of a teacher: a hash of its files, recorded in each of its shards."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tinygan.files import digest_json, sha256


def with_files(fingerprint: str, files: Sequence[str]) -> str:
    """Add the files that a teacher reads (config key teacher.files) to its fingerprint.

    Raises:
        FileNotFoundError: a file is missing.
    """
    hashes = [sha256_of(file, "teacher.files") for file in files]
    return digest_json([fingerprint, *hashes]) if files else fingerprint


@cache
def sha256_of(file: str, key: str) -> str:
    """Return the SHA-256 of a file; `key` is the config key that names it, for messages."""
    if not Path(file).is_file():
        raise FileNotFoundError(f"{key}: there is no file {file}")
    return sha256(Path(file))
