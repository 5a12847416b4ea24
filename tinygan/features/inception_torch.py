"""The Inception graph in PyTorch: the same file as `inception_tf`, the same numbers up to rounding.

It needs no TensorFlow in the environment, and so runs on the GPU beside a generator in PyTorch.
"""

import numpy as np
import torch
from torch import Tensor

from tinygan.features.batches import run_in_chunks
from tinygan.features.extractor import Extractor
from tinygan.features.frozen_graph import FrozenGraph
from tinygan.features.graph_def import read_nodes
from tinygan.features.inception_graph import CLASSES, INPUT, OUTPUTS, RESIZE, SIDE, read_graph
from tinygan.runtime import configure_torch, device_of

NAME = "inception_torch"
# Images at once, see `run_in_chunks`.
CHUNK = {"cpu": 10, "cuda": 100}


def open_inception(graph: str, threads: int, device: str = "cpu") -> Extractor:
    """Open the extractor.

    Args:
        graph: see `tinygan.features.inception_graph.read_graph`.
        threads: CPU threads of PyTorch, set for the whole process.
        device: see `tinygan.runtime.device_of`.

    Returns:
        the extractor. Features are pool_3 [N, 2048], logits the first 1,000 of the graph's. The
        SHA-256 of the file is recorded beside it at first use, and checked from then on. The
        SHA-256 of the extractor is that of the graph itself, as for `inception_tf`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, is not this graph, has an operation that is unknown here,
            or has changed since it was recorded; or there is no such device.
        OSError: the download failed, or the record cannot be written.
    """
    configure_torch(threads)
    place = device_of(device)
    file = read_graph(graph)
    try:
        network = FrozenGraph(read_nodes(file.content), INPUT, OUTPUTS, place)
    except ValueError as error:
        raise ValueError(f"{file.path}: {error}") from error
    file.record()
    scale = torch.tensor(127.5, device=place)

    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        # Divided by a tensor: PyTorch replaces the division by a number by a product on a GPU,
        # which rounds differently.
        x = x.permute(0, 2, 3, 1) / scale - 1
        pooled, logits = network(resize_bilinear(x, SIDE))
        return pooled.flatten(1), logits[:, :CLASSES]

    run = run_in_chunks(forward, CHUNK[place.type], place)
    return Extractor(NAME, file.sha256, SIDE, RESIZE, run)


def resize_bilinear(x: Tensor, side: int) -> Tensor:
    """Resize as TF1's resize_bilinear: source = target * in / out, without a half-pixel shift.

    The operations and their order are TensorFlow's, so the result is the same to the bit.
    PyTorch's own bilinear interpolation has half-pixel centres or aligned corners.

    Args:
        x: float32 [N, H, W, C].
        side: height and width of the result.
    """
    for dimension in (2, 1):
        size = x.shape[dimension]
        step = np.float32(size) / np.float32(side)
        source = torch.arange(side, dtype=torch.float32, device=x.device) * float(step)
        low = source.floor().long()
        # The pixel after the last one is the last one again.
        high = (low + 1).clamp(max=size - 1)
        weight = (source - low).unflatten(0, (-1, *[1] * (3 - dimension)))
        first, second = x.index_select(dimension, low), x.index_select(dimension, high)
        x = first + (second - first) * weight
    return x
