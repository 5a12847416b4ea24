"""Converted weights reproduce the forward pass of their published code."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.published_forward import biggan_reference, sngan_reference, tinygan_reference
from helpers.published_weights import (
    CLASSES,
    biggan_shapes,
    biggan_weights,
    inputs,
    randoms,
    sngan_file,
    tinygan_file,
    tinygan_shapes,
)
from torch import Tensor

from tinygan.models.converters import biggan_torch, sngan_chainer, tinygan_authors
from tinygan.teacher.biggan_pytorch import handle_fingerprint, load_teacher

ATOL = 2e-5  # float32, images in [-1, 1]


@pytest.mark.parametrize("kind", ["dw", "std"])
def test_the_authors_student_reproduces_its_forward_pass(tmp_path: Path, kind: str) -> None:
    weights = tinygan_file(tmp_path / "model_30.tar", kind)
    student, recipe = tinygan_authors.read_student(tmp_path / "model_30.tar")
    assert recipe == {
        "architecture": kind, "channels": 4, "classes": CLASSES, "image_size": 32, "z_dim": 6,
        "embedding": 5,
    }  # fmt: skip
    z, y = inputs(6)
    with torch.no_grad():
        images = student(z, y)
    expected = tinygan_reference(weights, z, y)
    assert expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=ATOL, rtol=0)


@pytest.mark.parametrize("form", ["bare", "module"])
def test_a_bare_or_prefixed_state_dict_is_the_same_student(tmp_path: Path, form: str) -> None:
    weights = tinygan_file(tmp_path / "a.tar")
    if form == "bare":
        torch.save(weights, tmp_path / "b.tar")
    else:
        torch.save({"G": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / "b.tar")
    first, _ = tinygan_authors.read_student(tmp_path / "a.tar")
    second, _ = tinygan_authors.read_student(tmp_path / "b.tar")
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_the_papers_dw_student_has_the_papers_size(tmp_path: Path) -> None:
    """At full size: 3,070,659 parameters, 1,000 classes, 128 px."""
    shapes = tinygan_shapes("dw", (512, 512, 256, 128, 64, 32), 1000, 128, 128)
    torch.save({"G": randoms(shapes, 0)}, tmp_path / "model.tar")
    student, recipe = tinygan_authors.read_student(tmp_path / "model.tar")
    assert sum(p.numel() for p in student.parameters()) == 3_070_659
    assert (recipe["channels"], recipe["classes"], recipe["image_size"]) == (32, 1000, 128)


def test_sngan_reproduces_chainers_forward_pass(tmp_path: Path) -> None:
    weights = sngan_file(tmp_path / "g.npz")
    generator, recipe = sngan_chainer.read_generator(tmp_path / "g.npz")
    assert recipe == {"channels": 4, "classes": CLASSES, "image_size": 32, "z_dim": 6}
    z, y = inputs(6)
    with torch.no_grad():
        images = generator(z, y)
    expected = sngan_reference(weights, z, y)
    assert expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=ATOL, rtol=0)


@pytest.fixture(scope="module")
def biggan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    path = tmp_path_factory.mktemp("biggan") / "biggan-deep-128.bin"
    weights = biggan_weights()
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    return path, weights


def test_the_format_is_the_published_one() -> None:
    shapes = biggan_shapes(128, 1000, 128)
    assert len(shapes) == 506
    extra = ("_u", "_v", ".running_means", ".running_vars")
    trained = [math.prod(shape) for name, shape in shapes.items() if not name.endswith(extra)]
    assert sum(trained) == 50_388_609


@pytest.mark.parametrize(("truncation", "row"), [(0.5, 25), (0.58, 29), (1.0, 50), (0.02, 1)])
def test_the_teacher_reproduces_the_published_forward_pass(
    biggan: tuple[Path, dict[str, Tensor]], truncation: float, row: int
) -> None:
    path, weights = biggan
    generator, statistics = biggan_torch.read_generator(path)
    chosen = biggan_torch.statistics_at(statistics, truncation)
    generator.load_state_dict(chosen, strict=False)
    z, y = inputs(6)
    with torch.no_grad():
        images = generator(z, y)
    expected = biggan_reference(weights, z, y, row)
    assert images.shape == (3, 3, 128, 128) and expected.std() > 0.1
    torch.testing.assert_close(images, expected, atol=1e-4, rtol=0)


def test_statistics_are_interpolated_linearly_between_rows() -> None:
    statistics = {"a.running_mean": torch.arange(51.0)[:, None].repeat(1, 2)}
    for truncation, expected in ((0.0, 0.0), (0.5, 25.0), (0.505, 25.25), (0.99, 49.5), (1, 50.0)):
        found = biggan_torch.statistics_at(statistics, truncation)["a.running_mean"]
        torch.testing.assert_close(found, torch.full((2,), expected))
    with pytest.raises(ValueError, match="not in 0 .. 1"):
        biggan_torch.statistics_at(statistics, 1.1)


def test_the_torch_teacher_is_a_function_of_arrays(
    biggan: tuple[Path, dict[str, Tensor]],
) -> None:
    path, weights = biggan
    sizes = {"z_dim": 6, "image_size": 128, "threads": 1}
    teacher = load_teacher(str(path), classes=8, **sizes)
    z, y = inputs(6, 8)
    first = teacher(z.numpy(), y.numpy(), 0.5)
    other = teacher(z.numpy(), y.numpy(), 1.0)
    assert first.shape == (3, 128, 128, 3) and first.dtype == np.uint8
    assert np.array_equal(first, teacher(z.numpy(), y.numpy(), 0.5))
    assert not np.array_equal(first, other)
    reference = biggan_reference(weights, z, y, 25).permute(0, 2, 3, 1).double().numpy()
    expected = np.floor(np.clip((reference + 1) / 2 * 256, 0, 255))
    assert np.abs(first - expected).max() <= 1 and (first != expected).mean() < 1e-2
    with pytest.raises(ValueError, match="labels must be in 0..7"):
        teacher(z.numpy(), np.array([0, 1, 8]), 0.5)
    with pytest.raises(FloatingPointError, match="NaN"):
        teacher(np.full((1, 6), np.nan), np.array([0]), 0.5)
    for wrong in ({"classes": 11}, {"z_dim": 7}, {"image_size": 64}):
        with pytest.raises(ValueError, match="10 classes, z of 6, images of 128 px"):
            load_teacher(str(path), **({"classes": 8} | sizes | wrong))
    assert len(handle_fingerprint(str(path))) == 64
