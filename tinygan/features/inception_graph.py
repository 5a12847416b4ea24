"""The frozen Inception graph of the published scores (section 5.2): its interface and its file.

The graph is `inceptionv1_for_inception_score.pb`, used by TF-GAN 1 and the paper's authors. Two
extractors run it: `inception_tf` with TensorFlow, `inception_torch` with PyTorch.
"""

import hashlib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tinygan.assets.cache import cache_folder, require
from tinygan.assets.download import DownloadError, download
from tinygan.external import check_content
from tinygan.files import sha256, write_text

MEMBER = "inceptionv1_for_inception_score.pb"
SIDE = 299
CLASSES = 1000  # the authors use the first 1000 of 1008 logits, including the dummy class 0
RESIZE = "TF1 bilinear (align_corners=False, half_pixel_centers=False) to 299 px, of x / 127.5 - 1"
INPUT, OUTPUTS = "Mul:0", ["pool_3:0", "logits:0"]


@dataclass(frozen=True)
class GraphFile:
    """The file of a graph.

    Attributes:
        path: the tarball, or the file in it.
        content: the serialised graph.
        file_sha256: SHA-256 of the file.
    """

    path: Path
    content: bytes
    file_sha256: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the graph, the same with and without the tarball."""
        return hashlib.sha256(self.content).hexdigest()

    def record(self) -> None:
        """Write the file's SHA-256 beside it, unless it is there; later uses compare it."""
        if not (record := _record(self.path)).exists():
            write_text(record, f"{self.file_sha256}  {self.path.name}\n")


def read_graph(graph: str) -> GraphFile:
    """Read the file of a graph, and compare its SHA-256 with the recorded one, if there is any.

    Args:
        graph: the frozen graph, as the tarball `frozen_inception_v1_2015_12_05.tar.gz` or the file
            in it: `asset:inception-graph`, a path, or a URL, which is downloaded once into the
            cache folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or has changed since it was recorded.
        OSError: the download failed.
    """
    path = local_file(graph)
    digest, record = sha256(path), _record(path)
    if record.exists() and record.read_text().split()[:1] != [digest]:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, but {record} says otherwise: the file has changed; "
            "restore the file, or delete the record if the change was intended"
        )
    return GraphFile(path, _graph_bytes(path), digest)


def local_file(graph: str) -> Path:
    """Return the file of a graph, which is downloaded if it is a URL; see `read_graph`."""
    if "://" not in graph:
        path = Path(require(graph))
        if not path.is_file():
            raise FileNotFoundError(
                f"no Inception graph {graph}: give metrics.inception_graph as "
                "asset:inception-graph, or as the path or the URL of "
                "frozen_inception_v1_2015_12_05.tar.gz"
            )
        return path
    path = cache_folder() / graph.rsplit("/", 1)[-1]
    if not path.is_file():
        try:
            download(
                [graph],
                path.with_name(f".{path.name}.part"),
                lambda partial: os.replace(partial, path),
                label=path.name,
            )
        except DownloadError as error:
            raise DownloadError(
                f"cannot download {error}; download it by other means and give its path as "
                "metrics.inception_graph"
            ) from error
    return path


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _graph_bytes(path: Path) -> bytes:
    """Return the serialised graph in a file or tarball; nothing is unpacked to disk."""
    check_content(path, "gzip")
    if not tarfile.is_tarfile(path):
        return path.read_bytes()
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if Path(member.name).name == MEMBER and member.isfile():
                    return archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}); download it again") from error
    raise ValueError(f"{path} has no {MEMBER}; give frozen_inception_v1_2015_12_05.tar.gz")
