"""What identifies a teacher: a hash over its files, which every shard of it records."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tinygan.files import digest_json, sha256


def with_files(fingerprint: str, files: Sequence[str]) -> str:
    """Return a teacher's fingerprint with the files that it reads, config key teacher.files.

    Raises:
        FileNotFoundError: one of them is not there.
    """
    hashes = [sha256_of(file, "teacher.files") for file in files]
    return digest_json([fingerprint, *hashes]) if files else fingerprint


@cache
def sha256_of(file: str, key: str) -> str:
    """Return the SHA-256 of the file that a key of the config names."""
    if not Path(file).is_file():
        raise FileNotFoundError(f"{key}: there is no file {file}")
    return sha256(Path(file))
