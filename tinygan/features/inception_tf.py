"""The TensorFlow Inception graph of the published scores (section 5.2), in a process of its own.

The graph is `inceptionv1_for_inception_score.pb`, the network that TF-GAN 1 and the paper's authors
score with. TensorFlow and PyTorch never share a process, so TensorFlow runs in a child that has
imported nothing else, and images and features go through a pipe.
"""

import hashlib
import multiprocessing
import os
import shutil
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tinygan.external import check_content, content_problem, reason
from tinygan.features.extractor import Extractor
from tinygan.files import atomic_file, sha256, write_text

NAME = "inception_tf"
MEMBER = "inceptionv1_for_inception_score.pb"
SIDE = 299
CLASSES = 1000  # of the 1008 logits the authors take the first 1000, the dummy class 0 with them
RESIZE = "TF1 bilinear (align_corners=False, half_pixel_centers=False) to 299 px, of x / 127.5 - 1"
INPUT, OUTPUTS = "Mul:0", ["pool_3:0", "logits:0"]


@contextmanager
def open_inception(graph: str, threads: int) -> Iterator[Extractor]:
    """Start the extractor; its process ends with the block.

    Args:
        graph: the frozen graph, as the tarball `frozen_inception_v1_2015_12_05.tar.gz` or as the
            file in it; a path, or a URL, which is downloaded once into `cache_folder()`.
        threads: CPU threads of TensorFlow.

    Yields:
        The extractor. Its features are pool_3 [N, 2048], its logits [:, :1000] of the graph's.
        The SHA-256 of the file is recorded beside it on first use and checked ever after; that of
        the extractor is the one of the graph itself, so tarball and file in it are the same.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, is not this graph, or is not the one that was recorded.
        OSError: the URL cannot be read, or nothing can be written beside the file.
        RuntimeError: TensorFlow cannot be started, or its process has ended.
    """
    path = _local(graph)
    digest, record = sha256(path), path.with_name(f"{path.name}.sha256")
    if record.exists() and record.read_text().split()[:1] != [digest]:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, but {record} says otherwise: the file has changed; "
            "get the right file, or delete the record if the change was meant"
        )
    content = _graph_bytes(path)
    with _child(path, content, threads) as run:
        if not record.exists():
            write_text(record, f"{digest}  {path.name}\n")
        yield Extractor(NAME, hashlib.sha256(content).hexdigest(), SIDE, RESIZE, run)


def cache_folder() -> Path:
    """Return where downloads are kept: $XDG_CACHE_HOME/tinygan, by default ~/.cache/tinygan."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinygan"


def _local(graph: str) -> Path:
    if "://" not in graph:
        if not Path(graph).is_file():
            raise FileNotFoundError(
                f"no Inception graph {graph}: give metrics.inception_graph as the path or the URL "
                "of frozen_inception_v1_2015_12_05.tar.gz"
            )
        return Path(graph)
    path = cache_folder() / graph.rsplit("/", 1)[-1]
    if not path.is_file():
        try:
            with urllib.request.urlopen(graph, timeout=60) as source, atomic_file(path) as partial:
                with open(partial, "wb") as file:
                    shutil.copyfileobj(source, file)
                expected = source.headers.get("Content-Length")
                if expected and partial.stat().st_size != int(expected):
                    raise OSError("the transfer broke off")
                with open(partial, "rb") as file:
                    if problem := content_problem(file.read(512)):
                        raise OSError(f"what comes is {problem}")
        except OSError as error:
            raise OSError(
                f"cannot download {graph} ({reason(error)}); fetch it by other means and give its "
                "path as metrics.inception_graph"
            ) from error
    return path


def _graph_bytes(path: Path) -> bytes:
    """Return the serialised graph that a file is, or that a tarball holds; nothing is unpacked."""
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
    raise ValueError(f"{path} holds no {MEMBER}; give frozen_inception_v1_2015_12_05.tar.gz")


@contextmanager
def _child(
    path: Path, content: bytes, threads: int
) -> Iterator[Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]:
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
    process.start()
    theirs.close()  # so that the end of either process is the end of the other's pipe

    def ask(message: bytes | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        try:
            ours.send(message)
            answer = ours.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            process.join()
            raise RuntimeError(
                f"TensorFlow's process ended with exit code {process.exitcode}; its messages stand "
                "above (killed for want of memory? use fewer images a batch)"
            ) from None
        if isinstance(answer, str):
            raise ValueError(f"{path}: {answer}")
        return answer

    try:
        ask(content)
        yield ask
    finally:
        ours.close()
        process.join()


def _serve(connection: Connection, threads: int) -> None:
    """Run in the child: take the graph, then images until the pipe ends.

    The graph is answered by None, images by their features and logits; either by a sentence where
    it cannot be used.
    """
    if "torch" in sys.modules:
        raise RuntimeError("TensorFlow and PyTorch must not share a process")
    try:
        try:
            run = _load(connection.recv(), threads)
        except ValueError as error:
            connection.send(str(error))
            return
        connection.send(None)
        while True:
            connection.send(run(connection.recv()))
    except (EOFError, BrokenPipeError):  # the parent has finished
        return


def _load(content: bytes, threads: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the graph as a function of uint8 images; ValueError where it is not this graph."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
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
            f"not the Inception graph, which takes {INPUT} and gives {', '.join(OUTPUTS)} ({error})"
        ) from error

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Scaled here: TensorFlow would turn the division into a product, which rounds differently.
        x = images.astype(np.float32) / 127.5 - 1
        pooled, logits = (output.numpy() for output in network(x))
        return pooled.reshape(len(images), -1), logits[:, :CLASSES]

    return run
