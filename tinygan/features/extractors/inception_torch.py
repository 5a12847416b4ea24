"""The Inception network of published scores, in PyTorch; its input is always 299 px."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Per image.
FEATURES, LOGITS = 2048, 1000
# The conda environment that it needs.
ENVIRONMENT = "torch"


@contextmanager
def open_extractor(
    *, input_size: int, threads: int, graph: str, device: str = "cpu"
) -> Iterator[Extractor]:
    """See `tinygan.features.inception_torch.open_inception`; `input_size` is unused."""
    from tinygan.features.inception_torch import open_inception

    yield open_inception(graph, threads, device)
