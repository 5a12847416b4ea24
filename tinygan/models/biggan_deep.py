"""BigGAN-deep (Brock et al. 2019), and the mini teacher, a small version of its generator.

Bottleneck blocks of 1x1, 3x3, 3x3, 1x1 convolutions; class-conditional batch norm with the
condition [z, E(y)] in every block; skip connections that drop channels (G) or add some (D);
nearest-neighbour upsampling. The original also has self-attention at 64 px and spectral norm on
everything but E(y); the mini teacher has neither.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import (
    ConditionalBatchNorm,
    ProjectionHead,
    SelfAttention,
    initialise_generator,
    num_upsamplings,
    sn_conv,
    spectrally_normalise,
)


class GeneratorBlock(nn.Module):
    """Bottleneck residual block; with `up`, doubles the side by nearest-neighbour upsampling."""

    def __init__(
        self, inputs: int, outputs: int, condition: int, *, up: bool, epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        hidden = inputs // 4
        self.up = up
        self.outputs = outputs
        widths = [inputs, hidden, hidden, hidden]
        self.norms = nn.ModuleList(
            ConditionalBatchNorm(w, condition, affine=False, epsilon=epsilon) for w in widths
        )
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, k, padding=k // 2)
            for i, o, k in zip(widths, [*widths[1:], outputs], (1, 3, 3, 1), strict=True)
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] and condition [N, condition] to [N, outputs, H', W'].

        H' = 2 H with `up`.
        """
        h = x
        for index, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            h = F.relu(norm(h, condition))
            if self.up and index == 1:
                h = F.interpolate(h, scale_factor=2)
            h = conv(h)
        skip = x[:, : self.outputs]
        return h + (F.interpolate(skip, scale_factor=2) if self.up else skip)


class ToRGB(nn.Conv2d):
    """The last convolution: computes only its first three outputs, red, green and blue.

    The published weights have more outputs. They do not affect images, but the spectral norm.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] to [N, 3, H, W]."""
        return F.conv2d(x, self.weight[:3], self.bias[:3], padding=self.padding)


class Generator(nn.Module):
    """G: (z, y) -> image.

    Args:
        classes: number of classes.
        z_dim: length of z.
        embedding: length of the shared class embedding E(y).
        widths: channels at 4 px and after each doubling; the image's side is 4 * 2^(len - 1).
        attention: side in pixels of the self-attention's input; None: no self-attention.
        spectral: apply spectral norm to every convolution and linear layer.
        epsilon: added to the variance in batch norm.
        output_channels: outputs of the last convolution, of which the first three are used.
    """

    def __init__(
        self,
        classes: int,
        z_dim: int,
        embedding: int,
        widths: list[int],
        *,
        attention: int | None = None,
        spectral: bool = False,
        epsilon: float = 1e-5,
        output_channels: int = 3,
    ) -> None:
        super().__init__()
        condition = z_dim + embedding
        self.widths = list(widths)
        self.embedding = nn.Embedding(classes, embedding)
        self.first = nn.Linear(condition, 16 * widths[0])
        self.blocks = nn.ModuleList()
        for stage, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            for width, up in ((inputs, False), (outputs, True)):
                block = GeneratorBlock(inputs, width, condition, up=up, epsilon=epsilon)
                self.blocks.append(block)
            if attention == 4 * 2**stage:
                self.blocks.append(SelfAttention(outputs))
        self.norm = nn.BatchNorm2d(widths[-1], eps=epsilon)
        self.to_rgb = ToRGB(widths[-1], output_channels, 3, padding=1)
        initialise_generator(self)
        if spectral:
            spectrally_normalise(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Map z [N, z_dim] and class indices y [N] to images [N, 3, side, side] in [-1, 1]."""
        condition = torch.cat([z, self.embedding(y)], dim=1)
        h = self.first(condition).view(len(z), self.widths[0], 4, 4)
        for block in self.blocks:
            h = block(h, condition)
        return torch.tanh(self.to_rgb(F.relu(self.norm(h))))


def published(*, channels: int = 128, classes: int = 1000, z_dim: int = 128) -> Generator:
    """Build the generator of the published 128 px weights.

    E(y) is as long as z; the last convolution has as many outputs as inputs. See `Generator`;
    `channels` is ch, the multiplier of its widths.
    """
    widths = [channels * factor for factor in (16, 16, 8, 4, 2, 1)]
    options = {"attention": 64, "spectral": True, "epsilon": 1e-4, "output_channels": channels}
    return Generator(classes, z_dim, z_dim, widths, **options)


class DiscriminatorBlock(nn.Module):
    """Bottleneck residual block; with `down`, halves the side by 2x2 average pooling.

    If it widens, a 1x1 convolution of the skip connection computes the additional channels.
    """

    def __init__(self, inputs: int, outputs: int, *, down: bool) -> None:
        super().__init__()
        hidden = outputs // 4
        self.down = down
        widths = [inputs, hidden, hidden, hidden, outputs]
        self.convs = nn.ModuleList(
            sn_conv(i, o, k, padding=k // 2)
            for i, o, k in zip(widths, widths[1:], (1, 3, 3, 1), strict=False)
        )
        self.widen = sn_conv(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] to [N, outputs, H', W'], H' = H / 2 with `down`."""
        h = x
        for conv in self.convs[:-1]:
            h = conv(F.relu(h))
        h = F.relu(h)
        if self.down:
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        if self.widen is not None:
            x = torch.cat([x, self.widen(x)], dim=1)
        return self.convs[-1](h) + x


class Discriminator(nn.Module):
    """D: (image, y) -> score.

    Args:
        channels: ch, the multiplier of the widths: 1, 2, 4, 8, 16, 16 at 128 px.
        classes: number of classes.
        image_size: side of the images in pixels, a power of two from 8.
        attention: side in pixels of the self-attention's input.

    Raises:
        ValueError: invalid image size.
    """

    def __init__(
        self, *, channels: int, classes: int, image_size: int, attention: int = 64
    ) -> None:
        super().__init__()
        stages = num_upsamplings(image_size)
        widths = [channels * 2**i for i in range(stages)]
        widths.append(widths[-1])
        self.first = sn_conv(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList()
        for stage, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            self.blocks.append(DiscriminatorBlock(inputs, outputs, down=True))
            self.blocks.append(DiscriminatorBlock(outputs, outputs, down=False))
            if attention == image_size // 2**stage:
                self.blocks.append(SelfAttention(outputs))
        self.head = ProjectionHead(widths[-1], classes)
        spectrally_normalise(self)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map images x [N, 3, side, side] in [-1, 1] and class indices y [N] to scores [N]."""
        h = self.first(x)
        for block in self.blocks:
            h = block(h)
        return self.head(F.relu(h), y)
