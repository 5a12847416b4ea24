"""EfficientNet-Lite0: its weights come from the package index, like every other dependency."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Of one image.
FEATURES, LOGITS = 1280, 1000
# The conda environment in which it runs.
ENVIRONMENT = "torch"


@contextmanager
def open_extractor(
    *, input_size: int, threads: int, graph: str | None = None
) -> Iterator[Extractor]:
    """See `tinygan.features.efficientnet_lite.open_efficientnet`; there is no graph."""
    from tinygan.features.efficientnet_lite import open_efficientnet

    yield open_efficientnet(input_size, threads)
