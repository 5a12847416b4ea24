"""TinyGAN-std: standard convolutions (section 4.1)."""

from typing import Any

from torch import nn

from tinygan.models.student import StudentGenerator


def conv3x3(inputs: int, outputs: int) -> nn.Module:
    """Build a 3x3 convolution."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def build(**shape: Any) -> StudentGenerator:
    """Build the student; `shape` as for `StudentGenerator`."""
    return StudentGenerator(conv3x3=conv3x3, **shape)
