"""The six systems of Table 1 at the paper's size: 128 px, 1,000 classes, z of length 128."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from tinygan.models import biggan_deep, sagan, sngan
from tinygan.models.discriminator import Discriminator
from tinygan.models.students import build_student

Z_DIM = 128
_SIZE = {"classes": 1000, "image_size": 128}


@dataclass(frozen=True)
class System:
    """A row of Table 1.

    Attributes:
        architecture: name of the architecture.
        channels: ch, the channel multiplier.
        build: builds the generator and the discriminator.
        printed: total parameters in millions, the generator's in millions, and
            multiply-accumulates in billions, as printed in the paper.
    """

    architecture: str
    channels: int
    build: Callable[[], tuple[nn.Module, nn.Module]]
    printed: tuple[str, str, str]


def _sngan() -> tuple[nn.Module, nn.Module]:
    return (
        sngan.Generator(channels=64, z_dim=Z_DIM, **_SIZE),
        sngan.Discriminator(channels=64, **_SIZE),
    )


def _sagan() -> tuple[nn.Module, nn.Module]:
    return (
        sagan.Generator(channels=64, z_dim=Z_DIM, **_SIZE),
        sagan.Discriminator(channels=64, **_SIZE),
    )


def _biggan_deep() -> tuple[nn.Module, nn.Module]:
    return biggan_deep.published(), biggan_deep.Discriminator(channels=128, **_SIZE)


def _student(architecture: str, channels: int) -> tuple[nn.Module, nn.Module]:
    generator = build_student(
        architecture=architecture, channels=channels, z_dim=Z_DIM, embedding=128, **_SIZE
    )
    return generator, Discriminator(channels=32, **_SIZE)


SYSTEMS: dict[str, System] = {
    "sngan": System("sngan", 64, _sngan, ("72.0", "42.0", "9.10")),
    "sagan": System("sagan", 64, _sagan, ("81.5", "42.0", "9.18")),
    "teacher": System("biggan-deep", 128, _biggan_deep, ("85.0", "50.4", "8.32")),
    "std": System("std", 32, lambda: _student("std", 32), ("12.6", "9.3", "2.29")),
    "std_half": System("std", 16, lambda: _student("std", 16), ("6.2", "2.9", "0.58")),
    "dw": System("dw", 32, lambda: _student("dw", 32), ("6.4", "3.1", "0.44")),
}
