"""The Inception v3 of pytorch-fid, with weights that `tinygan fetch` downloads; input 299 px."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Per image.
FEATURES, LOGITS = 2048, 0
# The conda environment that it needs.
ENVIRONMENT = "torch"
# Its weights, as named in `tinygan.assets.table`.
ASSET = "inception-pytorch-fid"


@contextmanager
def open_extractor(
    *, input_size: int, threads: int, graph: str | None = None, device: str = "cpu"
) -> Iterator[Extractor]:
    """See `inception_pytorch_fid` in `tinygan.features`; `input_size` and `graph` are unused."""
    from tinygan.features.inception_pytorch_fid import open_inception

    yield open_inception(threads, device)
