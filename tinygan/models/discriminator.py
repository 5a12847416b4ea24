"""TinyGAN's discriminator (section 4.2)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import ProjectionHead, sn_conv


class Discriminator(nn.Module):
    """D: (image, y) -> score, and the features of Eq. 4.

    Spectrally normalised 4x4 convolutions of stride 2 down to 4 px, with widths ch, 2ch, 4ch, ...
    and LeakyReLU(0.01), then the projection head.

    Args:
        channels: ch, the width of the first layer.
        classes: number of classes.
        image_size: side of the images in pixels, a power of two from 8.
        group: 0 for the paper's discriminator. Otherwise each run of this many images has one
            class, and the layer before the head also sees the group's minibatch standard deviation
            (Karras et al. 2018), which exposes a generator that lacks variety.
    """

    def __init__(self, *, channels: int, classes: int, image_size: int, group: int = 0) -> None:
        super().__init__()
        self.group = group
        layers = int(math.log2(image_size)) - 2
        widths = [3, *(channels * 2**i for i in range(layers))]
        self.convs = nn.ModuleList(
            sn_conv(i, o, 4, stride=2, padding=1) for i, o in zip(widths, widths[1:], strict=False)
        )
        if group:
            self.mix = sn_conv(widths[-1] + 1, widths[-1], 3, padding=1)
        self.head = ProjectionHead(widths[-1], classes)

    def features(self, x: Tensor) -> list[Tensor]:
        """Map images x [N, 3, H, W] in [-1, 1] to the outputs after each LeakyReLU."""
        features = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.01, inplace=True)
            features.append(x)
        return features

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map images x and class indices y [N] to scores [N] and the output of `features`."""
        features = self.features(x)
        h = features[-1]
        if self.group:
            # Epsilon inside the root: the gradient is finite even without any variety.
            variance = h.unflatten(0, (-1, self.group)).var(dim=1, correction=0)
            deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3)).repeat_interleave(self.group)
            deviation = deviation[:, None, None, None].expand(-1, 1, *h.shape[2:])
            h = F.leaky_relu(self.mix(torch.cat([h, deviation], dim=1)), 0.01, inplace=True)
        return self.head(h, y), features
