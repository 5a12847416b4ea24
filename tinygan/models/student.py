"""TinyGAN's generator (section 4.1, Fig. 5 and 6)."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import ConditionalBatchNorm, initialise_generator

Conv3x3 = Callable[[int, int], nn.Module]


def upsample(x: Tensor) -> Tensor:
    """Double the side of x [N, C, H, W] by bilinear interpolation."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ResidualBlock(nn.Module):
    """CBN, ReLU, bilinear x2, conv, CBN, ReLU, conv; shortcut: bilinear x2, 1x1 conv (Fig. 6).

    Attributes:
        figure_order: run the shortcut in the order of the figure. By default the convolution comes
            first, on a quarter of the positions; the result is the same, since the two commute.
    """

    figure_order = False

    def __init__(self, conv3x3: Conv3x3, inputs: int, outputs: int, embedding: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(inputs, embedding, affine=True)
        self.conv1 = conv3x3(inputs, outputs)
        self.norm2 = ConditionalBatchNorm(outputs, embedding, affine=True)
        self.conv2 = conv3x3(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] and condition [N, embedding] to [N, outputs, 2H, 2W]."""
        h = self.conv1(upsample(F.relu(self.norm1(x, condition), inplace=True)))
        h = self.conv2(F.relu(self.norm2(h, condition), inplace=True))
        shortcut = self.shortcut(upsample(x)) if self.figure_order else upsample(self.shortcut(x))
        return h + shortcut


@contextmanager
def in_figure_order(generator: nn.Module) -> Iterator[None]:
    """Within the block, a generator's blocks run in the order of Figure 6, as Table 1 counts."""
    blocks = [module for module in generator.modules() if isinstance(module, ResidualBlock)]
    for block in blocks:
        block.figure_order = True
    try:
        yield
    finally:
        for block in blocks:
            block.figure_order = False


class StudentGenerator(nn.Module):
    """S: (z, y) -> image. z enters at the first layer only, y through every CBN.

    Args:
        conv3x3: makes the 3x3 convolution of the blocks from its input and output channels.
        channels: ch, the multiplier of the blocks' widths: 4, 4, 2, 1 at 32 px,
            16, 16, 8, 4, 2, 1 at 128 px.
        classes: number of classes.
        image_size: side of the images in pixels, 4 * 2^blocks.
        z_dim: length of z.
        embedding: length of the shared class embedding E(y).
        image_channels: 3, or 1 for grey images; the one channel is repeated three times.

    Raises:
        ValueError: invalid image size.
    """

    def __init__(
        self,
        *,
        conv3x3: Conv3x3,
        channels: int,
        classes: int,
        image_size: int,
        z_dim: int,
        embedding: int,
        image_channels: int = 3,
    ) -> None:
        super().__init__()
        blocks = int(math.log2(image_size)) - 2
        if blocks < 1 or image_size != 4 * 2**blocks:
            raise ValueError(f"image_size must be 8, 16, 32, 64, ... px, not {image_size}")
        widths = [channels * 2**i for i in reversed(range(blocks))]
        widths = [widths[0], *widths]
        self.width = widths[0]
        self.embedding = nn.Embedding(classes, embedding)
        self.first = nn.Linear(z_dim, 16 * widths[0])
        self.blocks = nn.ModuleList(
            ResidualBlock(conv3x3, i, o, embedding)
            for i, o in zip(widths, widths[1:], strict=False)
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_rgb = nn.Conv2d(widths[-1], image_channels, 3, padding=1)
        initialise_generator(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        return self.synthesise(z, self.embedding(y))

    def synthesise(self, z: Tensor, condition: Tensor) -> Tensor:
        """Map z [N, z_dim] and class embeddings [N, embedding] to images, as `forward` does."""
        h = self.first(z).view(len(z), self.width, 4, 4)
        h = h.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, condition)
        return torch.tanh(self.to_rgb(F.relu(self.norm(h), inplace=True))).expand(-1, 3, -1, -1)
