"""SAGAN (Zhang et al. 2019): SNGAN-projection with self-attention.

Differences: self-attention in both networks, spectral norm in the generator too, and discriminator
blocks whose first convolution already widens. The 3x3 convolutions of the generator's blocks have
no bias, since it would be redundant: batch norm cancels the first one, and the second one would
add to the bias of the shortcut.
"""

from tinygan.models import sngan
from tinygan.models.layers import SelfAttention, num_upsamplings, spectrally_normalise


def _stage(attention: int, image_size: int) -> int:
    """Return the number of upsamplings, from 4 px, before the self-attention."""
    if attention >= image_size:
        raise ValueError(f"attention must be below {image_size} px, not at {attention} px")
    return num_upsamplings(attention)


class Generator(sngan.Generator):
    """G: (z, y) -> image.

    Args:
        channels: ch, as in `sngan.Generator`.
        classes: number of classes.
        image_size: side of the images in pixels, 4 * 2^blocks.
        z_dim: length of z.
        attention: side in pixels of the self-attention's input, less than the image's.

    Raises:
        ValueError: invalid image size or attention size.
    """

    def __init__(
        self, *, channels: int, classes: int, image_size: int, z_dim: int, attention: int = 64
    ) -> None:
        super().__init__(
            channels=channels,
            classes=classes,
            image_size=image_size,
            z_dim=z_dim,
            epsilon=1e-5,
            bias=False,
        )
        width = channels * image_size // attention
        self.blocks.insert(_stage(attention, image_size), SelfAttention(width))
        spectrally_normalise(self)


class Discriminator(sngan.Discriminator):
    """D: (image, y) -> score.

    Args:
        channels: ch, as in `sngan.Discriminator`.
        classes: number of classes.
        image_size: side of the images in pixels, a power of two from 8.
        attention: side in pixels of the self-attention's input, less than the image's.

    Raises:
        ValueError: invalid image size or attention size.
    """

    def __init__(
        self, *, channels: int, classes: int, image_size: int, attention: int = 64
    ) -> None:
        super().__init__(channels=channels, classes=classes, image_size=image_size, wide=True)
        width = channels * image_size // (2 * attention)
        after = num_upsamplings(image_size) - _stage(attention, image_size)
        self.blocks.insert(after, SelfAttention(width))
        spectrally_normalise(self)
