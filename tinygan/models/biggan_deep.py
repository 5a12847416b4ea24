"""BigGAN-deep (Brock et al. 2019) at small size: the architecture of the mini teacher.

As in the original: bottleneck blocks of 1x1, 3x3, 3x3, 1x1 convolutions, class-conditional batch
norm whose condition is [z, E(y)] in every block, skip paths that drop or add channels, nearest
up-sampling, average pooling. Left out: attention (the originals have it at 64 px) and the
generator's spectral norm.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import (
    ConditionalBatchNorm,
    ProjectionHead,
    initialise_orthogonal,
    sn_conv,
)


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
        initialise_orthogonal(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        condition = torch.cat([z, self.embedding(y)], dim=1)
        h = self.first(condition).view(len(z), self.widths[0], 4, 4)
        for block in self.blocks:
            h = block(h, condition)
        return torch.tanh(self.to_rgb(F.relu(self.norm(h))))


class DiscriminatorBlock(nn.Module):
    """Bottleneck residual block; with `down`, halves the side by average pooling."""

    def __init__(self, inputs: int, outputs: int, *, down: bool) -> None:
        super().__init__()
        hidden = outputs // 4
        self.down = down
        self.convs = nn.ModuleList(
            [
                sn_conv(inputs, hidden, 1),
                sn_conv(hidden, hidden, 3, padding=1),
                sn_conv(hidden, hidden, 3, padding=1),
                sn_conv(hidden, outputs, 1),
            ]
        )
        self.widen = sn_conv(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for conv in self.convs[:3]:
            h = conv(F.relu(h))
        h = F.relu(h)
        skip = x
        if self.down:
            h, skip = F.avg_pool2d(h, 2), F.avg_pool2d(skip, 2)
        if self.widen is not None:
            skip = torch.cat([skip, self.widen(skip)], dim=1)
        return self.convs[3](h) + skip


class Discriminator(nn.Module):
    """D: (image, y) -> score; spectral norm everywhere, projection on the class.

    Args:
        classes: number of classes.
        widths: channels at full size and after each halving.
    """

    def __init__(self, classes: int, widths: list[int]) -> None:
        super().__init__()
        self.first = sn_conv(3, widths[0], 3, padding=1)
        blocks = []
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            blocks.append(DiscriminatorBlock(inputs, outputs, down=True))
            blocks.append(DiscriminatorBlock(outputs, outputs, down=False))
        self.blocks = nn.Sequential(*blocks)
        self.head = ProjectionHead(widths[-1], classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map images x [N, 3, H, W] in [-1, 1] and class indices y [N] to scores [N]."""
        return self.head(F.relu(self.blocks(self.first(x))), y)
