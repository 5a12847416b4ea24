"""Interpolations: their ends and points, the images of a student on them, and their files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tinygan.generation.interpolation import interpolate
from tinygan.generation.interpolation_files import read_interpolation, write_interpolation
from tinygan.generation.paths import COUNTS, draw_paths, points
from tinygan.generation.student_mixtures import open_student_mixtures
from tinygan.models.io import load_generator, save_card, save_weights
from tinygan.models.pixels import to_uint8
from tinygan.models.sngan import Generator
from tinygan.models.students import build_student

NAMES = ["cat", "dog", "cow", "bear"]
RECIPE = {"architecture": "dw", "channels": 4, "classes": 4, "image_size": 16, "z_dim": 6}
RECIPE |= {"embedding": 5, "image_channels": 3}
FEW = {"both": 1, "y": 2, "z": 2}


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """A student whose labels are in another order than the run's classes."""
    torch.manual_seed(0)
    folder = tmp_path / "student"
    generator = build_student(**RECIPE)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    save_weights(generator, folder / "generator.safetensors")
    save_card(folder, {"generator": RECIPE, "classes": NAMES[::-1]})
    return folder


def test_ends_differ_in_what_their_kind_says_and_depend_on_seed_kind_and_index() -> None:
    paths = draw_paths(3, 4, 6, 0.8)
    assert {kind: sum(p.kind == kind for p in paths) for kind in COUNTS} == COUNTS
    for path in paths:
        (first, last), (start, end) = path.classes, path.z
        assert (first == last) == (path.kind == "z") and {first, last} <= set(range(4))
        assert np.array_equal(start, end) == (path.kind == "y")
        assert np.abs(path.z).max() <= 1.6
    assert len({path.z.tobytes() for path in paths}) == len(paths)
    # Fewer paths are the first ones, and another seed draws others.
    few = draw_paths(3, 4, 6, 0.8, FEW)
    assert [(p.kind, p.index) for p in few] == [
        *(("both", 0), ("y", 0), ("y", 1), ("z", 0), ("z", 1))
    ]
    for path in few:
        (same,) = [p for p in paths if (p.kind, p.index) == (path.kind, path.index)]
        assert path.classes == same.classes and np.array_equal(path.z, same.z)
    assert not np.array_equal(draw_paths(4, 4, 6, 0.8)[0].z, paths[0].z)


def test_with_one_class_only_z_can_change() -> None:
    assert {path.kind for path in draw_paths(3, 1, 6, 0.8)} == {"z"}


def test_points_are_even_steps_from_end_to_end() -> None:
    for path in draw_paths(3, 4, 6, 0.8, FEW):
        z, weights = points(path, 4, steps=8)
        assert z.shape == (9, 6) and weights.shape == (9, 4) and z.dtype == np.float32
        assert np.array_equal(z[[0, 8]], path.z)
        assert np.array_equal(weights[[0, 8]], np.eye(4)[list(path.classes)])
        quarter = [0.75 * a + 0.25 * b for a, b in zip(*path.z.tolist(), strict=True)]
        np.testing.assert_allclose(z[2], quarter, rtol=1e-6)
        assert (weights.sum(axis=1) == 1).all()
        if path.kind != "z":
            assert weights[2][list(path.classes)].tolist() == [0.75, 0.25]
        if path.kind == "y":
            assert (z == path.z[0]).all()  # not only up to rounding


def test_a_student_is_itself_at_the_ends_and_mixes_its_embedding_between(student: Path) -> None:
    paths = draw_paths(0, 4, 6, 0.8, FEW)
    mixtures = open_student_mixtures(student, NAMES)
    found = interpolate(mixtures, paths, 4, batch=25, steps=4)
    assert found.shape == (5, 5, 16, 16, 3) and found.dtype == np.uint8
    generator = load_generator(student)
    with torch.no_grad():
        for path, images in zip(paths, found, strict=True):
            z = torch.from_numpy(path.z)
            y = torch.tensor([3 - label for label in path.classes])
            assert np.array_equal(images[[0, 4]], to_uint8(generator(z, y)))
            embedding = generator.embedding(y)
            middle = generator.synthesise(z.mean(0)[None], embedding.mean(0)[None])
            assert np.abs(images[2].astype(int) - to_uint8(middle)[0]).max() <= 1
            assert not np.array_equal(images[2], images[0])


def test_every_batch_is_full_and_its_padding_is_dropped() -> None:
    sizes = []

    def shades(z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        sizes.append(len(z))
        shade = (weights @ np.array([0, 80, 160, 240])).astype(np.uint8)
        return np.broadcast_to(shade[:, None, None, None], (len(z), 2, 2, 3))

    paths = draw_paths(0, 4, 6, 0.8, FEW)
    found = interpolate(shades, paths, 4, batch=10, steps=4)
    assert sizes == [10, 10, 10]  # 25 images
    for path, images in zip(paths, found, strict=True):
        first, last = (80 * label for label in path.classes)
        assert images[:, 0, 0, 0].tolist() == [first + (last - first) * i // 4 for i in range(5)]


def test_what_is_no_student_is_refused(tmp_path: Path) -> None:
    recipe = {"channels": 2, "classes": 4, "image_size": 32, "z_dim": 6}
    save_weights(Generator(**recipe), tmp_path / "generator.safetensors")
    save_card(tmp_path, {"generator": recipe | {"architecture": "sngan"}, "classes": NAMES})
    with pytest.raises(ValueError, match="is not a student, so it has no class embedding"):
        open_student_mixtures(tmp_path, NAMES)


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    paths = draw_paths(0, 4, 6, 0.8, FEW)
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 2, 2, 3), dtype=np.uint8)
    about = {"names": NAMES, "source": "dw", "seed": 2, "provenance": {}}
    write_interpolation(tmp_path / "paths", images, paths, **about)
    found = read_interpolation(tmp_path / "paths" / "manifest.json")
    assert (found.source, found.seed) == ("dw", 2) and np.array_equal(found.images, images)
    first, last = paths[1].classes
    assert found.paths[1] == {"kind": "y", "path": 0, "classes": [NAMES[first], NAMES[last]]}
    np.save(tmp_path / "paths" / "images.npy", images[::-1])
    with pytest.raises(ValueError, match="is not the file that .*manifest.json describes"):
        read_interpolation(tmp_path / "paths" / "manifest.json")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="nothing was changed"):
        write_interpolation(tmp_path / "mine", images, paths, **about)
