"""DINOv2 ViT-L/14 (Oquab et al., TMLR 2024), the extractor that Stein et al. (NeurIPS 2023) advise.

The layers are named like the keys of the published file. Feature is the class token after the last
norm; there is no classifier.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from tinygan.features.batches import run_in_chunks
from tinygan.features.extractor import Extractor
from tinygan.features.weights import load_asset
from tinygan.runtime import configure_torch, device_of

NAME, ASSET = "dinov2_vitl14", "dinov2-vitl14"
SIDE = 224
RESIZE = f"Pillow bicubic (with antialiasing, rounded to 8 bits) to {SIDE} px"
# Of ImageNet's training images, for red, green and blue in [0, 1].
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CHUNK = {"cpu": 10, "cuda": 100}
# Added to the number of patches when positions are interpolated, as the published code does.
OFFSET = 0.1


@dataclass(frozen=True)
class Shape:
    """Sizes of a vision transformer: `grid` is the patches per side that it has positions for."""

    width: int = 1024
    depth: int = 24
    heads: int = 16
    patch: int = 14
    grid: int = 37


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values from one projection."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [N, T, width] to tokens."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers, four times as wide between them, with an exact GELU."""

    def __init__(self, width: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [N, T, width] to tokens."""
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor per channel."""

    def __init__(self, width: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the last dimension."""
        return x * self.gamma


class Block(nn.Module):
    """Attention, then the MLP; each normed before, scaled after, and added."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = Attention(width, heads), Mlp(width)
        self.ls1, self.ls2 = LayerScale(width), LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [N, T, width] to tokens."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """One token per patch."""

    def __init__(self, width: int, patch: int):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x: Tensor) -> Tensor:
        """Map images [N, 3, S, S] to tokens [N, (S / patch)^2, width]."""
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """The network."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape, width = shape, shape.width
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + shape.grid**2, width))
        self.patch_embed = PatchEmbed(width, shape.patch)
        self.blocks = nn.Sequential(*(Block(width, shape.heads) for _ in range(shape.depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def positions(self, patches: int) -> Tensor:
        """Return the position embeddings [1, 1 + patches^2, width] of as many patches per side."""
        grid = self.shape.grid
        if patches == grid:
            return self.pos_embed
        own, others = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        square = others.unflatten(1, (grid, grid)).permute(0, 3, 1, 2)
        scale = (patches + OFFSET) / grid
        resized = F.interpolate(square, scale_factor=(scale, scale), mode="bicubic")
        return torch.cat([own, resized.flatten(2).transpose(1, 2)], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised images [N, 3, S, S], S a multiple of the patch, to features [N, width]."""
        patches = x.shape[2] // self.shape.patch
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], dim=1)
        return self.norm(self.blocks(tokens + self.positions(patches)))[:, 0]


def open_dinov2(threads: int, device: str = "cpu", shape: Shape | None = None) -> Extractor:
    """Open the extractor; see `tinygan.features.extractor.Extractor`.

    Args:
        threads: CPU threads of PyTorch, set for the whole process.
        device: see `tinygan.runtime.device_of`.
        shape: for tests, other sizes than ViT-L/14's.

    Raises:
        FileNotFoundError, ValueError: see `load_asset`.
    """
    configure_torch(threads)
    # The mask token is what training puts in place of hidden patches.
    build = partial(VisionTransformer, shape or Shape())
    model, digest = load_asset(build, ASSET, unused=("mask_token",))
    place = device_of(device)
    model.to(place)
    mean, deviation = (torch.tensor(v, device=place)[:, None, None] for v in (MEAN, DEVIATION))

    def network(x: Tensor) -> tuple[Tensor, Tensor]:
        features = model((x / 255 - mean) / deviation)
        return features, features[:, :0]

    run = run_in_chunks(network, CHUNK[place.type], place)
    return Extractor(NAME, digest, SIDE, RESIZE, lambda images: run(resize(images)))


def resize(images: np.ndarray) -> np.ndarray:
    """Resize uint8 [N, H, W, 3] to uint8 [N, 224, 224, 3]."""
    if images.shape[1:3] == (SIDE, SIDE):
        return images
    size, bicubic = (SIDE, SIDE), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(i).resize(size, bicubic)) for i in images])
