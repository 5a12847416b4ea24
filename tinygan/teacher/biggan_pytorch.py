"""BigGAN-deep at 128 px in PyTorch, as a function of arrays: the same one as `hub` gives."""

from pathlib import Path

import numpy as np
import torch

from tinygan.classes.imagenet import IMAGENET_CLASSES
from tinygan.files import sha256
from tinygan.models.converters.biggan_torch import read_generator, statistics_at
from tinygan.models.pixels import to_uint8
from tinygan.runtime import configure_torch
from tinygan.teacher import Teacher


def load_teacher(
    handle: str,
    *,
    classes: int,
    z_dim: int,
    image_size: int,
    threads: int | None = None,
    trial: int = 1,
) -> Teacher:
    """Load the published state dict and check that it is the teacher the config describes.

    Args:
        handle: the file, see `tinygan.models.converters.biggan_torch`.
        classes: number of classes, the first ones of the file's. The 1,000 of the published file
            are ImageNet's, so that all of them have to be named.
        z_dim: length of z, 128.
        image_size: side of its images in pixels, 128.
        threads: CPU threads of PyTorch; None leaves the choice to it.
        trial: not used: type and size of the images are known.

    Returns:
        A function of z float [N, z_dim], class indices [N] and the truncation, which returns
        uint8 [N, image_size, image_size, 3]; see `tinygan.teacher.tfhub.load_teacher`. The
        truncation chooses the batch-norm statistics, it does not scale z. The function raises
        ValueError for a class that is none, FloatingPointError for NaN images.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is not such a state dict, or its sizes are not those of the config.
    """
    if threads is not None:
        configure_torch(threads)
    generator, statistics = read_generator(Path(handle))
    known, embedding = generator.embedding.weight.shape
    found = (generator.first.in_features - embedding, 4 * 2 ** (len(generator.widths) - 1))
    if known < classes or found != (z_dim, image_size):
        raise ValueError(
            f"teacher {handle}: {known} classes, z of {found[0]}, images of {found[1]} px, but the "
            f"config has {classes} classes, z_dim {z_dim} and image_size {image_size}"
        )
    if known == IMAGENET_CLASSES != classes:
        raise ValueError(
            f"teacher {handle} knows ImageNet's {known} classes, but the config has {classes} for "
            "it, and which is which is not known: write `classes: all` under `teacher`, and the "
            "classes of the run by their WNIDs or names in ImageNet"
        )
    generator.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def teacher(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if np.min(labels) < 0 or np.max(labels) >= classes:
            raise ValueError(f"teacher {handle}: labels must be in 0..{classes - 1}")
        generator.load_state_dict(statistics_at(statistics, truncation), strict=False)
        y = torch.from_numpy(np.asarray(labels, dtype=np.int64))
        images = generator(torch.from_numpy(np.asarray(z, dtype=np.float32)), y)
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
            f"no weights in {handle!r}: with teacher.kind torch, teacher.handle is the file of a "
            "PyTorch state dict"
        )
    return sha256(Path(handle))
