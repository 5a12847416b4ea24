"""What an extractor is, whatever network and framework are behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Extractor:
    """Turns images into features.

    Attributes:
        name: its module in `tinygan.features.extractors`.
        sha256: SHA-256 of its weights.
        input_size: px, height and width that the network sees.
        resize: in words, how images of another size get there.
        run: maps uint8 [N, H, W, 3] to features float32 [N, D] and logits float32 [N, K], or None
            where it has no classifier; an image's rows do not depend on the images beside it, up
            to rounding.
    """

    name: str
    sha256: str
    input_size: int
    resize: str
    run: "Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]"


def outputs_of(name: str) -> tuple[int, int]:
    """Return the number of features and of logits of an image, without opening the extractor."""
    module = import_module(f"tinygan.features.extractors.{name}")
    return module.FEATURES, module.LOGITS
