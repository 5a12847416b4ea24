"""Run a PyTorch network on any number of images, always the same number at once."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


@torch.inference_mode()
def run_in_chunks(
    network: Callable[[Tensor], tuple[Tensor, Tensor]], images: np.ndarray, chunk: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features and logits of images.

    Kernels round differently for other batch sizes, so a fixed one makes features bit-exactly
    independent of the caller's batches. The last chunk is padded with black.

    Args:
        network: maps uint8 [chunk, H, W, 3], on the CPU, to features [chunk, D] and logits
            [chunk, K].
        images: uint8 [N, H, W, 3], N > 0, may be a read-only memory map.
        chunk: images at once.
    """
    parts = []
    for start in range(0, len(images), chunk):
        count = min(chunk, len(images) - start)
        pixels = np.zeros((chunk, *images.shape[1:]), np.uint8)
        pixels[:count] = images[start : start + count]
        outputs = network(torch.from_numpy(pixels))
        parts.append([output[:count].cpu().numpy() for output in outputs])
    features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    return features, logits
