"""BigGAN-deep from its published PyTorch weights, as a teacher of mixed classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tinygan.models.converters.biggan_torch import read_generator, statistics_at
from tinygan.models.pixels import to_uint8
from tinygan.runtime import device_of


def load_mixtures(handle: str, *, device: str) -> Callable[..., np.ndarray]:
    """Load weights that `tinygan.teacher.biggan_pytorch` has checked.

    Args:
        handle: the file.
        device: see `tinygan.runtime.device_of`.

    Returns:
        the function of `tinygan.teacher.mixtures`. It raises FloatingPointError for images with NaN
        or infinity.
    """
    generator, statistics = read_generator(Path(handle))
    table = generator.embedding.weight
    # E(y) = W y for any vector y; of a one-hot vector it is the row of the table.
    generator.embedding = nn.Linear(*table.shape, bias=False)
    generator.embedding.weight = nn.Parameter(table.detach().T.contiguous())
    place = device_of(device)
    generator.to(place, memory_format=torch.channels_last)

    @torch.no_grad()
    def teacher(z: np.ndarray, y: np.ndarray, truncation: float) -> np.ndarray:
        generator.load_state_dict(statistics_at(statistics, truncation), strict=False)
        images = generator(torch.from_numpy(z).to(place), torch.from_numpy(y).to(place))
        if not torch.isfinite(images).all():
            raise FloatingPointError(f"teacher {handle}: an image has NaN or infinite values")
        return to_uint8(images)

    return teacher
