"""TinyGAN's discriminator (section 4.2)."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from tinygan.models.layers import ProjectionHead, sn_conv


class Discriminator(nn.Module):
    """D: (image, y) -> score, and the features of Eq. 4.

    Spectrally normalised 4x4 convolutions of stride 2 down to 4 px, widths ch, 2ch, 4ch, ...,
    LeakyReLU(0.01), then the projection head.

    Args:
        channels: ch, the width of the first layer.
        classes: number of classes.
        image_size: side of the images in pixels, a power of two from 8.
    """

    def __init__(self, *, channels: int, classes: int, image_size: int) -> None:
        super().__init__()
        layers = int(math.log2(image_size)) - 2
        widths = [3, *(channels * 2**i for i in range(layers))]
        self.convs = nn.ModuleList(
            sn_conv(i, o, 4, stride=2, padding=1) for i, o in zip(widths, widths[1:], strict=False)
        )
        self.head = ProjectionHead(widths[-1], classes)

    def features(self, x: Tensor) -> list[Tensor]:
        """Map images x [N, 3, H, W] in [-1, 1] to the outputs after each LeakyReLU."""
        features = []
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.01)
            features.append(x)
        return features

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map images x and class indices y [N] to scores [N] and the features of `features`."""
        features = self.features(x)
        return self.head(features[-1], y), features
