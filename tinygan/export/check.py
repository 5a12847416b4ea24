"""Compare exported generators with the PyTorch network that they were made from."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tinygan.models.pixels import to_uint8
from tinygan.seeding import draw_z, stream

COMPARED = 1000  # images
_BATCH = 100


class Difference(NamedTuple):
    """Of the uint8 pixels of two generators: the largest one and the mean, in levels."""

    largest: int
    mean: float


def comparison_inputs(
    *, z_dim: int, classes: int, truncation: float | None
) -> tuple[Tensor, Tensor]:
    """Return the z [N, z_dim] and class indices [N] on which generators are compared.

    Args:
        z_dim: length of z.
        classes: number of classes.
        truncation: scale of z; None for a standard normal z.
    """
    z = draw_z(stream(0, "export/check/z"), COMPARED, z_dim, truncation)
    labels = stream(0, "export/check/class").integers(classes, size=COMPARED)
    return torch.from_numpy(z), torch.from_numpy(labels)


@torch.inference_mode()
def draw_pixels(generator: nn.Module, z: Tensor, y: Tensor) -> np.ndarray:
    """Return the images of a generator, uint8 [N, H, W, 3], for z and class indices."""
    half_range = getattr(generator, "half_range", 128)
    batches = zip(z.split(_BATCH), y.split(_BATCH), strict=True)
    return np.concatenate([to_uint8(generator(*batch), half_range) for batch in batches])


def difference(images: np.ndarray, others: np.ndarray) -> Difference:
    """Compare two arrays of uint8 images."""
    levels = np.abs(images.astype(np.int16) - others)
    return Difference(int(levels.max()), float(levels.mean()))
