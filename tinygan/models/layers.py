"""Layers shared by several networks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized


def num_upsamplings(image_size: int) -> int:
    """Return how many doublings lead from a side of 4 px to that of the image.

    Raises:
        ValueError: the size is not 8, 16, 32, ... px.
    """
    times = image_size.bit_length() - 3
    if times < 1 or image_size != 4 * 2**times:
        raise ValueError(f"image_size must be 8, 16, 32, 64, ... px, not {image_size}")
    return times


class ConditionalBatchNorm(nn.Module):
    """Class-conditional batch norm (section 4.1): gain and bias are linear in a condition vector.

    Batch norm without gain and bias, then x * (1 + gain(c)) + bias(c). The gain starts near 1, the
    bias near 0.

    Args:
        channels: channels of the input.
        condition: length of the condition vector c.
        affine: whether the linear layers for gain and bias have a bias (the student: yes, BigGAN:
            no).
        epsilon: added to the variance.
    """

    def __init__(
        self, channels: int, condition: int, *, affine: bool, epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=epsilon, affine=False)
        self.gain = nn.Linear(condition, channels, bias=affine)
        self.bias = nn.Linear(condition, channels, bias=affine)
        self.initialise()

    def initialise(self) -> None:
        """Initialise to a gain near 1 and a bias near 0 for every condition."""
        for linear in (self.gain, self.bias):
            nn.init.normal_(linear.weight, std=0.05)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, C, H, W] and condition [N, condition] to [N, C, H, W]."""
        gain = (1 + self.gain(condition))[:, :, None, None]
        bias = self.bias(condition)[:, :, None, None]
        return torch.addcmul(bias, self.norm(x), gain)


class ClassBatchNorm(nn.Module):
    """Class-conditional batch norm with separate gain and bias per class.

    Batch norm without gain and bias, then x * gain[y] + bias[y] (Dumoulin et al. 2017), as in
    SNGAN-projection and SAGAN. The gain starts at 1, the bias at 0.

    Args:
        channels: channels of the input.
        classes: number of classes.
        epsilon: added to the variance.
    """

    def __init__(self, channels: int, classes: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=epsilon, affine=False)
        self.gain = nn.Embedding(classes, channels)
        self.bias = nn.Embedding(classes, channels)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map x [N, C, H, W] and class indices y [N] to [N, C, H, W]."""
        gain, bias = self.gain(y)[:, :, None, None], self.bias(y)[:, :, None, None]
        return torch.addcmul(bias, self.norm(x), gain)


class SelfAttention(nn.Module):
    """x + gamma * o(sum_j softmax_j(theta_i . phi_j) g_j) (SAGAN, Zhang et al. 2019, section 3).

    theta, phi, g and o are 1x1 convolutions without bias; phi and g are max-pooled to half the
    side, so each position i attends to a quarter of the positions j. gamma starts at 0.

    Args:
        channels: channels of the input, a multiple of 8. theta and phi have an eighth, g half of
            them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.phi = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.g = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.o = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map x [N, C, H, W] to the same shape; `condition`, given to every block, is unused."""
        theta = self.theta(x).flatten(2)  # [N, C/8, HW]
        phi = F.max_pool2d(self.phi(x), 2).flatten(2)  # [N, C/8, HW/4]
        g = F.max_pool2d(self.g(x), 2).flatten(2)  # [N, C/2, HW/4]
        weights = torch.bmm(theta.transpose(1, 2), phi).softmax(dim=2)  # [N, HW, HW/4]
        attended = torch.bmm(g, weights.transpose(1, 2))  # [N, C/2, HW]
        return x + self.gamma * self.o(attended.unflatten(2, x.shape[2:]))


def sn_conv(inputs: int, outputs: int, kernel: int, **options: int) -> nn.Module:
    """Build a spectrally normalised convolution (Miyato et al. 2018)."""
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, **options))


def spectrally_normalise(module: nn.Module) -> None:
    """Apply spectral norm to every convolution and linear layer that does not have it yet."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear) and not is_parametrized(layer):
            spectral_norm(layer)


def initialise_generator(module: nn.Module) -> None:
    """Initialise convolutions and linear layers with orthogonal weights, as in BigGAN.

    The linear layers of class-conditional batch norm start with small weights instead: orthogonal
    ones would give gains of 1 + N(0, 1) in every layer, which scrambles the activations.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(layer.weight)
    for layer in module.modules():
        if isinstance(layer, ConditionalBatchNorm):
            layer.initialise()


class ProjectionHead(nn.Module):
    """D(x, y) = linear(h) + <E(y), h>, h the features summed over space (Miyato and Koyama 2018).

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
