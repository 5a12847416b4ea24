"""The Inception network of published scores, in TensorFlow; it sees every image at 299 px."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinygan.features.extractor import Extractor

# Of one image.
FEATURES, LOGITS = 2048, 1000
# The conda environment in which it runs.
ENVIRONMENT = "teacher"


@contextmanager
def open_extractor(*, input_size: int, threads: int, graph: str) -> Iterator[Extractor]:
    """See `tinygan.features.inception_tf.open_inception`; the input size is the network's own."""
    from tinygan.features.inception_tf import open_inception

    with open_inception(graph, threads) as extractor:
        yield extractor
