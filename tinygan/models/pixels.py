"""Convert images between files, uint8 [N, H, W, 3], and networks, float [N, 3, H, W] in [-1, 1]."""

import numpy as np
import torch
from torch import Tensor


def normalize(images: np.ndarray | Tensor) -> Tensor:
    """Convert uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [-1, 1], in channels-last layout."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> np.ndarray:
    """Convert [N, 3, H, W] in [-1, 1] to uint8 [N, H, W, 3]: floor((x + 1) / 2 * 256), clipped."""
    scaled = (images + 1).mul(128).clamp_(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
