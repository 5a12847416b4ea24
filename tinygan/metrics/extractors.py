"""The feature extractors by name. Torch or TensorFlow start when one is opened, not before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

NAMES = ("efficientnet_lite0", "inception_tf")
# The one address at which the graph of the published scores has been kept since 2015.
INCEPTION_URL = "http://download.tensorflow.org/models/frozen_inception_v1_2015_12_05.tar.gz"


@dataclass(frozen=True)
class Extractor:
    """What turns images into features.

    Attributes:
        name: one of `NAMES`.
        sha256: SHA-256 of its weights.
        side: px, height and width that the network sees.
        resize: in words, how images of another size get there.
        run: maps uint8 [N, H, W, 3] to features float32 [N, D] and logits float32 [N, 1000]; an
            image's rows do not depend on the images beside it, up to rounding.
    """

    name: str
    sha256: str
    side: int
    resize: str
    run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@contextmanager
def open_extractor(
    name: str, *, side: int, threads: int, graph: str = INCEPTION_URL
) -> Iterator[Extractor]:
    """Open an extractor; what it holds is let go at the end of the block.

    Args:
        name: one of `NAMES`.
        side: px, height and width that efficientnet_lite0 sees; inception_tf always sees 299.
        threads: CPU threads; with efficientnet_lite0 torch's, for the whole process from here on.
        graph: file or URL of inception_tf's frozen graph, see `inception_tf.open_inception`.

    Raises:
        ValueError: there is no such extractor, a number is not positive, or weights are not what
            they should be.
        FileNotFoundError, OSError, RuntimeError: see `inception_tf.open_inception`.
    """
    if min(side, threads) < 1:
        raise ValueError(f"side {side} and threads {threads} must be at least 1")
    check_name(name)
    if name == "efficientnet_lite0":
        from tinygan.metrics.efficientnet_lite import open_efficientnet

        yield open_efficientnet(side, threads)
    else:
        from tinygan.metrics.inception_tf import open_inception

        with open_inception(graph, threads) as extractor:
            yield extractor


def check_name(name: str) -> None:
    """Refuse, with ValueError, a name that is not an extractor's."""
    if name not in NAMES:
        raise ValueError(f"there is no extractor {name!r}; choose one of {', '.join(NAMES)}")
