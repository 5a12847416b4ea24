"""The TensorFlow Inception graph of the published scores (section 5.2), in a separate process.

The graph is `inceptionv1_for_inception_score.pb`, used by TF-GAN 1 and the paper's authors.
TensorFlow and PyTorch never share a process, so TensorFlow runs in a child process that has not
imported PyTorch. Images and features go through a pipe.
"""

import hashlib
import multiprocessing
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tinygan.assets.cache import cache_folder, require
from tinygan.assets.download import DownloadError, download
from tinygan.external import check_content
from tinygan.features.extractor import Extractor
from tinygan.files import sha256, write_text
from tinygan.runtime import quiet_tensorflow, use_tensorflow_device

NAME = "inception_tf"
MEMBER = "inceptionv1_for_inception_score.pb"
SIDE = 299
CLASSES = 1000  # the authors use the first 1000 of 1008 logits, including the dummy class 0
RESIZE = "TF1 bilinear (align_corners=False, half_pixel_centers=False) to 299 px, of x / 127.5 - 1"
INPUT, OUTPUTS = "Mul:0", ["pool_3:0", "logits:0"]


@contextmanager
def open_inception(graph: str, threads: int, device: str = "cpu") -> Iterator[Extractor]:
    """Start the extractor; its process ends with the block.

    Args:
        graph: the frozen graph, as the tarball `frozen_inception_v1_2015_12_05.tar.gz` or the file
            in it: `asset:inception-graph`, a path, or a URL, which is downloaded once into the
            cache folder.
        threads: CPU threads of TensorFlow.
        device: ``cpu``, ``cuda``, or ``auto`` for a GPU if TensorFlow sees one.

    Yields:
        the extractor. Features are pool_3 [N, 2048], logits the first 1,000 of the graph's.
        The SHA-256 of the file is recorded beside it at first use, and checked from then on. The
        SHA-256 of the extractor is that of the graph itself, with or without the tarball.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, is not this graph, or has changed since it was recorded; or
            there is no such device.
        OSError: the download failed, or the record cannot be written.
        RuntimeError: TensorFlow cannot be started, or its process has ended.
    """
    path = _local(graph)
    digest, record = sha256(path), path.with_name(f"{path.name}.sha256")
    if record.exists() and record.read_text().split()[:1] != [digest]:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, but {record} says otherwise: the file has changed; "
            "restore the file, or delete the record if the change was intended"
        )
    content = _graph_bytes(path)
    with _child(path, content, threads, device) as run:
        if not record.exists():
            write_text(record, f"{digest}  {path.name}\n")
        yield Extractor(NAME, hashlib.sha256(content).hexdigest(), SIDE, RESIZE, run)


def _local(graph: str) -> Path:
    """Return the file of a graph, which is downloaded if it is a URL."""
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


@contextmanager
def _child(
    path: Path, content: bytes, threads: int, device: str
) -> Iterator[Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]:
    """Start the child process and send it the graph; yield a function that runs it."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch
    parent_end, child_end = context.Pipe()
    process = context.Process(target=_serve, args=(child_end, threads, device), daemon=True)
    process.start()
    child_end.close()  # so that each process sees the end of the pipe when the other one ends

    def request(message: bytes | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        try:
            parent_end.send(message)
            response = parent_end.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            process.join()
            raise RuntimeError(
                f"TensorFlow's process ended with exit code {process.exitcode}; see its messages "
                "above (out of memory? use a smaller batch)"
            ) from None
        if isinstance(response, str):
            raise ValueError(f"{path}: {response}")
        return response

    try:
        request(content)
        yield request
    finally:
        parent_end.close()
        process.join()


def _serve(connection: Connection, threads: int, device: str) -> None:
    """Serve in the child process: receive the graph, then images until the pipe is closed.

    The response to the graph is None, or an error message; to images, their features and logits.
    """
    if "torch" in sys.modules:
        raise RuntimeError("TensorFlow and PyTorch must not share a process")
    try:
        try:
            run = _load(connection.recv(), threads, device)
        except ValueError as error:
            connection.send(str(error))
            return
        connection.send(None)
        while True:
            connection.send(run(connection.recv()))
    except (EOFError, BrokenPipeError):  # the parent has closed the pipe
        return


def _load(
    content: bytes, threads: int, device: str
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the graph as a function of uint8 images; ValueError for another graph or device."""
    quiet_tensorflow()
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    use_tensorflow_device(device)
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(content)
    except DecodeError as error:
        raise ValueError(f"not a frozen TensorFlow graph ({error})") from error

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def network(x: tf.Tensor) -> list[tf.Tensor]:
        resized = tf.raw_ops.ResizeBilinear(
            images=x, size=[SIDE, SIDE], align_corners=False, half_pixel_centers=False
        )
        return tf.import_graph_def(graph, {INPUT: resized}, OUTPUTS, name="")

    try:
        network.get_concrete_function()
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"not the Inception graph with {INPUT} -> {', '.join(OUTPUTS)} ({error})"
        ) from error

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # In NumPy, since TensorFlow replaces the division by a product, which rounds differently.
        x = images.astype(np.float32) / 127.5 - 1
        pooled, logits = (output.numpy() for output in network(x))
        return pooled.reshape(len(images), -1), logits[:, :CLASSES]

    return run
