"""EfficientNet-Lite0, with weights from the package index, like every other dependency."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Per image.
FEATURES, LOGITS = 1280, 1000
# The conda environment that it needs.
ENVIRONMENT = "torch"


@contextmanager
def open_extractor(
    *, input_size: int, threads: int, graph: str | None = None, device: str = "cpu"
) -> Iterator[Extractor]:
    """See `tinygan.features.efficientnet_lite.open_efficientnet`; `graph` is unused."""
    from tinygan.features.efficientnet_lite import open_efficientnet

    yield open_efficientnet(input_size, threads, device)
