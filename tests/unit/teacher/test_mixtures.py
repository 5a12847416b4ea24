"""A teacher of mixed classes: at one-hot weights it is the teacher of the harvest.

PyTorch and TensorFlow must not share a process: this file runs itself for TensorFlow.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import PYTHON_TEACHER, complete, mini, tinygan
from helpers.paths import ROOT, TESTS

from tinygan.data.shards import open_shard
from tinygan.teacher import MIXTURE_MODULES, MODULES
from tinygan.teacher.mixtures import open_mixtures


def tensorflow_side(folder: Path) -> None:
    """Draw mixtures of the mini teacher, whose own labels are not the run's class indices."""
    import tensorflow as tf
    import tensorflow_hub as hub

    from tinygan.teacher.harvest import harvest
    from tinygan.teacher.open import open_teacher

    config = complete(mini(teacher={"batch": 8}) | {"classes": ["zebra", "dog", "cat"]})
    teacher, fingerprint = open_teacher(config, threads=1)
    options = {"split": "evaluation", "count": 8, "truncation": 0.8, "seed": 0, "z_dim": 128}
    options |= {"batch": 8, "provenance": {}}
    harvest(teacher, classes=range(3), folder=folder / "shard", **options)
    mixtures, same = open_mixtures(config, threads=1)
    assert same == fingerprint
    z = open_shard(folder / "shard").z.reshape(3, 8, 128)
    ends = [mixtures(z[label], np.eye(3, dtype=np.float32)[[label] * 8]) for label in range(3)]
    middle = mixtures(z[0], np.tile(np.float32([0.5, 0, 0.5]), (8, 1)))
    signature = hub.load(config["teacher"]["handle"]).signatures["default"]
    y = np.zeros((8, 10), np.float32)
    y[:, [2, 9]] = 0.5  # cat and zebra
    images = signature(z=tf.constant(z[0]), y=tf.constant(y), truncation=tf.constant(0.8))
    np.savez(folder / "found.npz", ends=ends, middle=middle, expected=images["default"].numpy())


if __name__ == "__main__":
    tensorflow_side(Path(sys.argv[1]))
    sys.exit()


@pytest.mark.slow
def test_a_module_is_interpolated_between_the_images_of_the_harvest(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "found.npz")
    harvested = open_shard(tmp_path / "shard").images
    np.testing.assert_array_equal(found["ends"].reshape(harvested.shape), harvested)
    expected = np.floor(np.clip((found["expected"].astype(np.float64) + 1) / 2 * 256, 0, 255))
    # float32 may round a value at a threshold to its other side
    assert np.abs(found["middle"] - expected).max() <= 1
    assert (found["middle"] != expected).mean() < 1e-3
    assert np.abs(found["middle"].astype(int) - found["ends"][0]).max() > 100


@pytest.mark.slow
def test_the_torch_teacher_is_interpolated_between_its_images(tmp_path: Path) -> None:
    import torch
    from helpers.published_weights import CLASSES, biggan_weights, inputs

    from tinygan.models.converters.biggan_torch import read_generator, statistics_at
    from tinygan.models.pixels import to_uint8
    from tinygan.teacher.biggan_pytorch import load_teacher
    from tinygan.teacher.mixtures_torch import load_mixtures

    path = tmp_path / "biggan-deep-128.bin"
    torch.save(biggan_weights(), path)
    z, y = (each.numpy() for each in inputs(6))
    sizes = {"classes": CLASSES, "z_dim": 6, "image_size": 128, "threads": 1}
    mixtures = load_mixtures(str(path), device="cpu")
    one_hot = np.eye(CLASSES, dtype=np.float32)
    ends = load_teacher(str(path), **sizes)(z, y, 0.58)
    np.testing.assert_array_equal(mixtures(z, one_hot[y], 0.58), ends)
    # E(y) in the middle of the first two classes, by the table itself.
    generator, statistics = read_generator(path)
    generator.load_state_dict(statistics_at(statistics, 0.58), strict=False)
    with torch.no_grad():
        generator.embedding.weight[0] = generator.embedding.weight[y[:2]].mean(0)
        expected = to_uint8(generator(torch.from_numpy(z), torch.zeros(3, dtype=torch.long)))
    middle = mixtures(z, np.tile(one_hot[y[:2]].mean(0), (3, 1)), 0.58)
    assert np.abs(middle.astype(int) - expected).max() <= 1
    assert not np.array_equal(middle, ends)
    with pytest.raises(FloatingPointError, match="NaN"):
        mixtures(np.full((3, 6), np.nan, np.float32), one_hot[y], 0.58)


def test_a_function_of_labels_cannot_be_interpolated(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert set(MODULES) - set(MIXTURE_MODULES) == {"python"}
    config = mini(teacher=PYTHON_TEACHER)
    with pytest.raises(ValueError, match="a teacher of kind python takes one class per image"):
        open_mixtures(complete(config))
    out = tmp_path / "paths"
    assert tinygan(tmp_path, config, "interpolate-teacher", "--out", out) == 1
    assert "teachers of kind tfhub and torch can" in capsys.readouterr().err
    assert not out.exists()
