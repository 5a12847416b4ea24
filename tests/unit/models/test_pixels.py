"""8-bit images of each generator, bit for bit as its authors' code writes them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tinygan.generation.sampling import draw
from tinygan.models import sngan
from tinygan.models.students import build_student


def every_boundary() -> np.ndarray:
    """Return float32 values in [-1, 1] and a little outside, on and beside all steps of 8 bits."""
    levels = np.arange(257, dtype=np.float64)
    steps = np.concatenate([levels / half - 1 for half in (127.5, 128)]).astype(np.float32)
    near = [np.nextafter(steps, np.float32(end), dtype=np.float32) for end in (-2, 2)]
    rng = np.random.default_rng(0)
    values = np.concatenate([steps, *near, [-1.5, 1.5], rng.uniform(-1, 1, 4000)])
    return np.resize(values.astype(np.float32), (20, 3, 8, 12))


def chainer(x: np.ndarray) -> np.ndarray:
    """SNGAN-projection, `gen_images` of evaluation.py: clip, then a cast that rounds down."""
    return np.asarray(np.clip(x * 127.5 + 127.5, 0.0, 255.0), dtype=np.uint8)


def biggan(x: np.ndarray) -> np.ndarray:
    """BigGAN's TF-Hub example, which the paper's authors use: 256 levels of equal width."""
    return np.floor(np.clip((x + np.float32(1)) / np.float32(2) * np.float32(256), 0, 255)).astype(
        np.uint8
    )


class Table(nn.Module):
    """A generator whose i-th image is the i-th of a table."""

    def __init__(self, images: np.ndarray) -> None:
        super().__init__()
        self.images = nn.Parameter(torch.from_numpy(images))
        self.drawn = 0

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        self.drawn += len(z)
        return self.images[self.drawn - len(z) : self.drawn].detach()


class SnganTable(Table):
    half_range = sngan.Generator.half_range


@pytest.mark.parametrize(("generator", "published"), [(SnganTable, chainer), (Table, biggan)])
def test_drawn_pixels_are_those_of_the_published_code(generator: type, published) -> None:
    values = every_boundary()
    options = {"seed": 0, "z_dim": 4, "truncation": None, "batch": 7}
    batches = list(draw(generator(values), [0, 1], 10, **options))
    images = np.concatenate([images for images, _, _ in batches])
    assert images.dtype == np.uint8 and set(images.flat) == set(range(256))
    np.testing.assert_array_equal(images, published(values).transpose(0, 2, 3, 1))


def test_the_two_roundings_differ() -> None:
    values = every_boundary()
    assert (chainer(values) != biggan(values)).mean() > 0.2


def test_each_generator_has_the_range_of_its_authors() -> None:
    shape = {"channels": 2, "classes": 2, "image_size": 32, "z_dim": 4}
    assert sngan.Generator(**shape).half_range == 127.5
    assert not hasattr(build_student(architecture="dw", embedding=4, **shape), "half_range")
