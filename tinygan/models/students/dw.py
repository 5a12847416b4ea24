"""TinyGAN-dw: depthwise separable convolutions (section 4.1)."""

from typing import Any

from torch import nn

from tinygan.models.student import StudentGenerator


def conv3x3(inputs: int, outputs: int) -> nn.Module:
    """Build a depthwise 3x3 convolution followed by a pointwise 1x1 convolution."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs), nn.Conv2d(inputs, outputs, 1)
    )


def build(**shape: Any) -> StudentGenerator:
    """Build the student; `shape` as for `StudentGenerator`."""
    return StudentGenerator(conv3x3=conv3x3, **shape)
