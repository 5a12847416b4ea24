"""The Inception graph in TensorFlow, in a separate process.

TensorFlow and PyTorch never share a process, so TensorFlow runs in a child process that has not
imported PyTorch. Images and features go through a pipe.
"""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tinygan.features.extractor import Extractor
from tinygan.features.inception_graph import CLASSES, INPUT, OUTPUTS, RESIZE, SIDE, read_graph
from tinygan.runtime import quiet_tensorflow, use_tensorflow_device

NAME = "inception_tf"


@contextmanager
def open_inception(graph: str, threads: int, device: str = "cpu") -> Iterator[Extractor]:
    """Start the extractor; its process ends with the block.

    Args:
        graph: see `tinygan.features.inception_graph.read_graph`.
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
    file = read_graph(graph)
    with _child(file.path, file.content, threads, device) as run:
        file.record()
        yield Extractor(NAME, file.sha256, SIDE, RESIZE, run)


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

    # A session keeps the version of the graph, a tf.function has that of TensorFlow: the batch
    # norm of 2015 was removed from later versions.
    with tf.Graph().as_default():
        source = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        resized = tf.raw_ops.ResizeBilinear(
            images=source, size=[SIDE, SIDE], align_corners=False, half_pixel_centers=False
        )
        try:
            outputs = tf.import_graph_def(graph, {INPUT: resized}, OUTPUTS, name="")
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"not the Inception graph with {INPUT} -> {', '.join(OUTPUTS)} ({error})"
            ) from error
        session = tf.compat.v1.Session()

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # In NumPy, since TensorFlow replaces the division by a product, which rounds differently.
        x = images.astype(np.float32) / 127.5 - 1
        pooled, logits = session.run(outputs, {source: x})
        return pooled.reshape(len(images), -1), logits[:, :CLASSES]

    return run
