"""DINOv2 ViT-L/14, with weights that `tinygan fetch` downloads; its input is always 224 px."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Per image.
FEATURES, LOGITS = 1024, 0
# The conda environment that it needs.
ENVIRONMENT = "torch"
# Its weights, as named in `tinygan.assets.table`.
ASSET = "dinov2-vitl14"


@contextmanager
def open_extractor(
    *, input_size: int, threads: int, graph: str | None = None, device: str = "cpu"
) -> Iterator[Extractor]:
    """See `tinygan.features.dinov2.open_dinov2`; `input_size` and `graph` are unused."""
    from tinygan.features.dinov2 import open_dinov2

    yield open_dinov2(threads, device)
