"""The tarball of the Inception graph."""

import io
import tarfile
from pathlib import Path

from tinygan.features.inception_graph import MEMBER


def tarball(path: Path, content: bytes, member: str = MEMBER) -> Path:
    """Write a tarball like the published one, with a licence before the graph."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("LICENSE", b"text"), (member, content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
