"""SNGAN-projection (Miyato et al. 2018; Miyato and Koyama 2018), its networks for ImageNet.

A ResNet generator with class-conditional batch norm (gain and bias per class), and a spectrally
normalised ResNet discriminator with a projection head. Layers and their order are those of the
authors' released code, so its weights can be loaded into this generator.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import ClassBatchNorm, ProjectionHead, num_upsamplings, sn_conv

# Chainer's default in batch norm; the published weights were trained in Chainer.
EPSILON = 2e-5


class GeneratorBlock(nn.Module):
    """CBN, ReLU, nearest x2, 3x3, CBN, ReLU, 3x3; shortcut: nearest x2, 1x1."""

    def __init__(
        self, inputs: int, outputs: int, classes: int, *, epsilon: float, bias: bool
    ) -> None:
        super().__init__()
        self.norm1 = ClassBatchNorm(inputs, classes, epsilon=epsilon)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)
        self.norm2 = ClassBatchNorm(outputs, classes, epsilon=epsilon)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] and class indices y [N] to [N, outputs, 2H, 2W]."""
        h = F.interpolate(F.relu(self.norm1(x, y)), scale_factor=2)
        h = self.conv2(F.relu(self.norm2(self.conv1(h), y)))
        return h + self.shortcut(F.interpolate(x, scale_factor=2))


class Generator(nn.Module):
    """G: (z, y) -> image. z is drawn from a standard normal, without truncation.

    Attributes:
        half_range: see `tinygan.models.pixels.to_uint8`.

    Args:
        channels: ch, the multiplier of the blocks' widths: 16, 16, 8, 4, 2, 1 at 128 px.
        classes: number of classes.
        image_size: side of the images in pixels, 4 * 2^blocks.
        z_dim: length of z.
        epsilon: added to the variance in batch norm.
        bias: whether the blocks' 3x3 convolutions have a bias.

    Raises:
        ValueError: invalid image size.
    """

    half_range = 127.5

    def __init__(
        self,
        *,
        channels: int,
        classes: int,
        image_size: int,
        z_dim: int,
        epsilon: float = EPSILON,
        bias: bool = True,
    ) -> None:
        super().__init__()
        widths = [channels * 2**i for i in reversed(range(num_upsamplings(image_size)))]
        widths = [widths[0], *widths]
        self.first = nn.Linear(z_dim, 16 * widths[0])
        self.blocks = nn.ModuleList(
            GeneratorBlock(i, o, classes, epsilon=epsilon, bias=bias)
            for i, o in zip(widths, widths[1:], strict=False)
        )
        self.norm = nn.BatchNorm2d(widths[-1], eps=epsilon)
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        h = self.first(z).view(len(z), -1, 4, 4)
        for block in self.blocks:
            h = block(h, y)
        return torch.tanh(self.to_rgb(F.relu(self.norm(h))))


class DiscriminatorBlock(nn.Module):
    """ReLU, 3x3, ReLU, 3x3, 2x2 average pooling; shortcut: 1x1, 2x2 average pooling.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        wide: whether the first convolution widens to `outputs`, or the second.
        down: halve the side; if not, and inputs equal outputs, the shortcut is the identity.
        first: the input is the image: no ReLU before the first convolution, which widens, and the
            shortcut pools before its convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, *, wide: bool, down: bool = True, first: bool = False
    ) -> None:
        super().__init__()
        hidden = outputs if wide or first else inputs
        self.down = down
        self.first = first
        self.conv1 = sn_conv(inputs, hidden, 3, padding=1)
        self.conv2 = sn_conv(hidden, outputs, 3, padding=1)
        learned = down or inputs != outputs
        self.shortcut = sn_conv(inputs, outputs, 1) if learned else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] to [N, outputs, H', W'], H' = H / 2 with `down`."""
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.down:
            return h + self.shortcut(x)
        if self.first:
            return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))
        return F.avg_pool2d(h + self.shortcut(x), 2)


class Discriminator(nn.Module):
    """D: (image, y) -> score.

    Args:
        channels: ch, the multiplier of the blocks' widths: 1, 2, 4, 8, 16, 16 at 128 px.
        classes: number of classes.
        image_size: side of the images in pixels, a power of two from 8.
        wide: see `DiscriminatorBlock`.

    Raises:
        ValueError: invalid image size.
    """

    def __init__(self, *, channels: int, classes: int, image_size: int, wide: bool = False) -> None:
        super().__init__()
        widths = [channels * 2**i for i in range(num_upsamplings(image_size))]
        self.blocks = nn.ModuleList([DiscriminatorBlock(3, channels, wide=wide, first=True)])
        for inputs, outputs in zip(widths, widths[1:], strict=False):
            self.blocks.append(DiscriminatorBlock(inputs, outputs, wide=wide))
        self.blocks.append(DiscriminatorBlock(widths[-1], widths[-1], wide=wide, down=False))
        self.head = ProjectionHead(widths[-1], classes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map images x [N, 3, side, side] in [-1, 1] and class indices y [N] to scores [N]."""
        for block in self.blocks:
            x = block(x)
        return self.head(F.relu(x), y)
