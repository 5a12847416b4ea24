"""A small class-conditional diffusion model: a U-Net in EDM's preconditioning.

Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models". Below,
sigma is the standard deviation of the noise, and sigma_data that of the pixels of the data.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tinygan.external import check_content

FREQUENCIES = 6  # of the sinusoidal embedding of the noise level
PATCH = 2  # side in pixels of the patches that the U-Net takes as channels
_GROUPS = 8  # of the group norms


class Block(nn.Module):
    """Residual block of two 3x3 convolutions; the condition scales and shifts its second norm.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        condition: length of the condition vector.
    """

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm_1 = nn.GroupNorm(_GROUPS, inputs)
        self.conv_1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.affine = nn.Linear(condition, 2 * outputs)
        self.norm_2 = nn.GroupNorm(_GROUPS, outputs)
        self.conv_2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        nn.init.zeros_(self.conv_2.weight)
        nn.init.zeros_(self.conv_2.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [N, inputs, H, W] and condition [N, condition] to [N, outputs, H, W]."""
        h = self.conv_1(F.silu(self.norm_1(x)))
        scale, shift = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        h = self.conv_2(F.silu(torch.addcmul(shift, self.norm_2(h), 1 + scale)))
        return (self.skip(x) + h) * math.sqrt(0.5)


class UNet(nn.Module):
    """F of Eq. 7: (noisy image, c_noise, class) -> image, one channel.

    Patches of 2x2 pixels become channels first: a quarter of the arithmetic of the first level.
    One block per level on the way down, one in the middle, and one per level on the way up, which
    also gets the output of the block opposite.

    Args:
        classes: number of classes.
        widths: channels at each level, multiples of 8; the side halves from one to the next.
        embedding: length of the condition vector.
    """

    def __init__(self, classes: int, widths: Sequence[int], embedding: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, embedding)
        self.noise = nn.Linear(2 * FREQUENCIES, embedding)
        self.condition = nn.Linear(embedding, embedding)
        self.first = nn.Conv2d(PATCH**2, widths[0], 3, padding=1)
        self.down, self.merge, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for inputs, outputs in zip([widths[0], *widths], widths, strict=False):
            self.down.append(Block(inputs, outputs, embedding))
        self.middle = Block(widths[-1], widths[-1], embedding)
        below = widths[-1]
        for width in reversed(widths):
            self.merge.append(nn.Conv2d(below + width, width, 1))
            self.up.append(Block(width, width, embedding))
            below = width
        self.norm = nn.GroupNorm(_GROUPS, widths[0])
        self.last = nn.Conv2d(widths[0], PATCH**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, c_noise: Tensor, y: Tensor) -> Tensor:
        """Map x [N, 1, S, S], c_noise [N] and class indices y [N] to [N, 1, S, S]."""
        angles = c_noise[:, None] * 2.0 ** torch.arange(FREQUENCIES, device=x.device)
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        condition = F.silu(self.noise(waves) + self.embedding(y))
        condition = F.silu(self.condition(condition))
        h = self.first(F.pixel_unshuffle(x, PATCH))
        seen = []
        for level, block in enumerate(self.down):
            h = block(F.avg_pool2d(h, 2) if level else h, condition)
            seen.append(h)
        h = self.middle(h, condition)
        for level, (merge, block) in enumerate(zip(self.merge, self.up, strict=True)):
            h = F.interpolate(h, scale_factor=2) if level else h
            h = block(merge(torch.cat([h, seen.pop()], dim=1)), condition)
        return F.pixel_shuffle(self.last(F.silu(self.norm(h))), PATCH)


class Denoiser(nn.Module):
    """D of Eq. 7: (noisy image, sigma, class) -> the expected image.

    Args:
        classes, widths, embedding: see `UNet`.
        sigma_data: standard deviation of the pixels of the data.
    """

    def __init__(
        self, classes: int, widths: Sequence[int], embedding: int, sigma_data: float = 1.0
    ) -> None:
        super().__init__()
        self.unet = UNet(classes, widths, embedding)
        self.register_buffer("sigma_data", torch.tensor(sigma_data))

    def forward(self, x: Tensor, sigma: Tensor, y: Tensor) -> Tensor:
        """Map x [N, 1, S, S], sigma [N] and class indices y [N] to [N, 1, S, S]."""
        c_skip, c_out, c_in, c_noise = self.preconditioning(sigma)
        return c_skip * x + c_out * self.unet(c_in * x, c_noise.flatten(), y)

    def preconditioning(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return c_skip, c_out, c_in, c_noise of Table 1, each [N, 1, 1, 1], for sigma [N]."""
        sigma = sigma[:, None, None, None]
        total = sigma.square() + self.sigma_data.square()
        c_skip = self.sigma_data.square() / total
        c_out = sigma * self.sigma_data * total.rsqrt()
        return c_skip, c_out, total.rsqrt(), sigma.log() / 4


def load_denoiser(path: Path) -> Denoiser:
    """Load a denoiser, in evaluation mode; its sizes follow from the shapes of its weights.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or has other weights.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights of the diffusion model in {path}")
    check_content(path)
    try:
        weights = load_file(path)
        classes, embedding = weights["unet.embedding.weight"].shape
        levels = sum(name.startswith("unet.merge.") for name in weights) // 2
        widths = [len(weights[f"unet.down.{level}.conv_2.bias"]) for level in range(levels)]
        network = Denoiser(classes, widths, embedding)
        network.load_state_dict(weights)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        what = " ".join(str(error).split())  # PyTorch's has several lines
        raise ValueError(f"{path} does not have the weights of this network: {what}") from error
    return network.to(memory_format=torch.channels_last).eval()
