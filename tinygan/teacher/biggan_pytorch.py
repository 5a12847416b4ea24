"""BigGAN-deep at 128 px from its published PyTorch weights, as a teacher."""

from pathlib import Path

import numpy as np
import torch

from tinygan.classes.imagenet import IMAGENET_CLASSES
from tinygan.files import sha256
from tinygan.models.converters.biggan_torch import read_generator, statistics_at
from tinygan.models.pixels import to_uint8
from tinygan.runtime import configure_torch, device_of
from tinygan.teacher import Teacher


def load_teacher(
    handle: str,
    *,
    classes: int,
    z_dim: int,
    image_size: int,
    threads: int | None = None,
    device: str = "cpu",
    trial: int = 1,
) -> Teacher:
    """Load the published state dict; arguments and result as in `tinygan.teacher`.

    Args:
        handle: the file, see `tinygan.models.converters.biggan_torch`.
        classes: the first classes of the file. If the file has ImageNet's 1,000, the config must
            name all of them.
        z_dim: 128.
        image_size: 128.
        threads: CPU threads of PyTorch.
        device: see `tinygan.runtime.device_of`.
        trial: unused: type and size of the images are known.

    Returns:
        the teacher. The truncation selects the batch-norm statistics. It raises
        FloatingPointError for images with NaN or infinity.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is not such a state dict, its sizes are not those of the config, or there is
            no such device.
    """
    if threads is not None:
        configure_torch(threads)
    generator, statistics = read_generator(Path(handle))
    available, embedding = generator.embedding.weight.shape
    sizes = (generator.first.in_features - embedding, 4 * 2 ** (len(generator.widths) - 1))
    if available < classes or sizes != (z_dim, image_size):
        raise ValueError(
            f"teacher {handle}: {available} classes, z of {sizes[0]}, images of {sizes[1]} px, but "
            f"the config has {classes} classes, z_dim {z_dim} and image_size {image_size}"
        )
    if available == IMAGENET_CLASSES != classes:
        raise ValueError(
            f"teacher {handle} has ImageNet's {available} classes, but the config names {classes} "
            "for it, which cannot be assigned: write `classes: all` under `teacher`, and give the "
            "run's classes by WNID or ImageNet name"
        )
    place = device_of(device)
    generator.to(place, memory_format=torch.channels_last)

    @torch.no_grad()
    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if np.min(labels) < 0 or np.max(labels) >= classes:
            raise ValueError(f"teacher {handle}: labels must be in 0..{classes - 1}")
        generator.load_state_dict(statistics_at(statistics, truncation), strict=False)
        y = torch.from_numpy(np.asarray(labels, dtype=np.int64)).to(place)
        images = generator(torch.from_numpy(np.asarray(z, dtype=np.float32)).to(place), y)
        if not torch.isfinite(images).all():
            raise FloatingPointError(f"teacher {handle}: an image has NaN or infinite values")
        return to_uint8(images)

    return teacher


def handle_fingerprint(handle: str) -> str:
    """Return the SHA-256 of the file.

    Raises:
        FileNotFoundError: no such file.
    """
    if not Path(handle).is_file():
        raise FileNotFoundError(
            f"no weights in {handle!r}: with teacher.kind torch, teacher.handle is a file with a "
            "PyTorch state dict"
        )
    return sha256(Path(handle))
