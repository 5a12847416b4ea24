"""BigGAN-deep (Brock et al. 2019) at small size: the architecture of the mini teacher.

As in the original: bottleneck blocks of 1x1, 3x3, 3x3, 1x1 convolutions, class-conditional batch
norm whose condition is [z, E(y)] in every block, skip paths that drop channels, nearest
up-sampling. Left out: attention (the original has it at 64 px) and the spectral norm.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import ConditionalBatchNorm, initialise_generator


class GeneratorBlock(nn.Module):
    """Bottleneck residual block; with `up`, doubles the side by nearest-neighbour up-sampling."""

    def __init__(self, inputs: int, outputs: int, condition: int, *, up: bool) -> None:
        super().__init__()
        hidden = inputs // 4
        self.up = up
        self.outputs = outputs
        widths = [inputs, hidden, hidden, hidden]
        self.norms = nn.ModuleList(ConditionalBatchNorm(w, condition, affine=False) for w in widths)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, k, padding=k // 2)
            for i, o, k in zip(widths, [*widths[1:], outputs], (1, 3, 3, 1), strict=True)
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = x
        for index, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            h = F.relu(norm(h, condition))
            if self.up and index == 1:
                h = F.interpolate(h, scale_factor=2)
            h = conv(h)
        skip = x[:, : self.outputs]
        return h + (F.interpolate(skip, scale_factor=2) if self.up else skip)


class Generator(nn.Module):
    """G: (z, y) -> image.

    Args:
        classes: number of classes.
        z_dim: length of z.
        embedding: length of the shared class embedding E(y).
        widths: channels at 4 px and after each doubling; the image's side is 4 * 2^(len - 1).
    """

    def __init__(self, classes: int, z_dim: int, embedding: int, widths: list[int]) -> None:
        super().__init__()
        condition = z_dim + embedding
        self.widths = list(widths)
        self.embedding = nn.Embedding(classes, embedding)
        self.first = nn.Linear(condition, 16 * widths[0])
        self.blocks = nn.ModuleList()
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            self.blocks.append(GeneratorBlock(inputs, inputs, condition, up=False))
            self.blocks.append(GeneratorBlock(inputs, outputs, condition, up=True))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)
        initialise_generator(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        condition = torch.cat([z, self.embedding(y)], dim=1)
        h = self.first(condition).view(len(z), self.widths[0], 4, 4)
        for block in self.blocks:
            h = block(h, condition)
        return torch.tanh(self.to_rgb(F.relu(self.norm(h))))
