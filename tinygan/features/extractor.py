"""The interface of an extractor, whatever its network and framework."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# The extractors that run the Inception graph of published scores: one needs TensorFlow, one
# PyTorch. Their scores compare with published ones.
INCEPTION = ("inception_tf", "inception_torch")


@dataclass(frozen=True)
class Extractor:
    """Maps images to features and logits.

    Attributes:
        name: its module in `tinygan.features.extractors`.
        sha256: SHA-256 of its weights.
        input_size: height and width of the network's input in pixels.
        resize: description of how images of another size are resized.
        run: maps uint8 [N, H, W, 3] to features float32 [N, D] and logits float32 [N, K]. The
            result for an image does not depend on the other images, up to rounding.
    """

    name: str
    sha256: str
    input_size: int
    resize: str
    run: "Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]"


def outputs_of(name: str) -> tuple[int, int]:
    """Return the numbers of features and of logits per image, without opening the extractor."""
    module = import_module(f"tinygan.features.extractors.{name}")
    return module.FEATURES, module.LOGITS


def asset_of(name: str) -> str | None:
    """Return the asset with an extractor's weights; None if the config names it, or it has none."""
    return getattr(import_module(f"tinygan.features.extractors.{name}"), "ASSET", None)


def environment_of(name: str) -> str:
    """Return the conda environment that an extractor needs: ``torch`` or ``teacher``."""
    return import_module(f"tinygan.features.extractors.{name}").ENVIRONMENT
