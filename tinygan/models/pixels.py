"""Convert images between files, uint8 [N, H, W, 3], and networks, float [N, 3, H, W] in [-1, 1]."""

import numpy as np
import torch
from torch import Tensor


def normalize(images: np.ndarray | Tensor) -> Tensor:
    """Convert uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [-1, 1], in channels-last layout."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor, half_range: float = 128) -> np.ndarray:
    """Convert [N, 3, H, W] in [-1, 1] to uint8 [N, H, W, 3], rounding down.

    Args:
        images: values outside of the range are clipped.
        half_range: h in floor(h x + h): 128 for BigGAN and its students, 127.5 for SNGAN, as in the
            code of each.
    """
    scaled = images.mul(half_range).add_(half_range).clamp_(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
