"""Run a PyTorch network on images in batches of one size."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def run_in_chunks(
    network: Callable[[Tensor], tuple[Tensor, Tensor]], chunk: int, place: torch.device
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the function `run` of an `Extractor`.

    Kernels round differently for other batch sizes. The last batch is padded with black, so that
    the features of an image do not depend on the number of images beside it.

    Args:
        network: maps float [chunk, 3, H, W], red green blue, in [0, 255], to features [chunk, D]
            and logits [chunk, K].
        chunk: images per batch.
        place: where the network is.
    """

    @torch.inference_mode()
    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = []
        for start in range(0, len(images), chunk):
            # NHWC viewed as NCHW is channels-last; the copy is for read-only memory maps.
            pixels = np.zeros((chunk, *images.shape[1:]), np.uint8)
            count = min(chunk, len(images) - start)
            pixels[:count] = images[start : start + count]
            x = torch.from_numpy(pixels).to(place).permute(0, 3, 1, 2).float()
            parts.append([out[:count].cpu().numpy() for out in network(x)])
        features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return features, logits

    return run
