"""Layers that several systems share."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class ConditionalBatchNorm(nn.Module):
    """Class-conditional batch norm (section 4.1): gain and bias are linear in a condition vector.

    Affine-free batch norm, then x * (1 + gain(c)) + bias(c). Gain starts near 1, bias near 0.

    Args:
        channels: channels of the input.
        condition: length of the condition vector c.
        affine: give both linear maps a constant part (the student), or none (BigGAN).
    """

    def __init__(self, channels: int, condition: int, *, affine: bool) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Linear(condition, channels, bias=affine)
        self.bias = nn.Linear(condition, channels, bias=affine)
        self.initialise()

    def initialise(self) -> None:
        """Start from a gain near 1 and a bias near 0 for every condition."""
        for linear in (self.gain, self.bias):
            nn.init.normal_(linear.weight, std=0.05)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, C, H, W] and condition [N, condition] to [N, C, H, W]."""
        gain = (1 + self.gain(condition))[:, :, None, None]
        bias = self.bias(condition)[:, :, None, None]
        return torch.addcmul(bias, self.norm(x), gain)


def sn_conv(inputs: int, outputs: int, kernel: int, **options: int) -> nn.Module:
    """Spectrally normalised convolution (Miyato et al. 2018)."""
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, **options))


def initialise_generator(module: nn.Module) -> None:
    """Give a generator's convolutions and linear maps orthogonal weights, as BigGAN does.

    The maps of class-conditional batch norm start small instead: orthogonal ones would give gains
    of 1 + N(0, 1) in every layer, which scrambles what passes through.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(layer.weight)
    for layer in module.modules():
        if isinstance(layer, ConditionalBatchNorm):
            layer.initialise()


class ProjectionHead(nn.Module):
    """D(x, y) = linear(h) + <E(y), h> with h the sum over space (projection discriminator, [17]).

    Args:
        channels: channels of the features.
        classes: number of classes.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.linear = spectral_norm(nn.Linear(channels, 1))
        self.embedding = spectral_norm(nn.Embedding(classes, channels))

    def forward(self, features: Tensor, y: Tensor) -> Tensor:
        """Map features [N, C, H, W] and class indices y [N] to scores [N]."""
        pooled = features.sum(dim=(2, 3))
        return self.linear(pooled).squeeze(1) + (self.embedding(y) * pooled).sum(dim=1)
