"""The harvest: the contents of its shards, for any class ranges."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.teachers import gather, painter

from tinygan.seeding import latents


def test_harvest_joins_z_label_and_image(tmp_path: Path) -> None:
    shard = gather(tmp_path / "a", range(2, 5))
    np.testing.assert_array_equal(shard.labels, np.repeat([2, 3, 4], 7))
    for label in (2, 3, 4):
        chosen = shard.labels == label
        np.testing.assert_array_equal(shard.z[chosen], latents(3, "pairs", label, 7, 6, 0.5))
    np.testing.assert_array_equal(shard.images, painter(shard.z, shard.labels, 0.5))
    assert np.abs(shard.z).max() <= 1.0
    assert shard.manifest["source"] == "teacher"
    settings = {"split": "pairs", "truncation": 0.5, "seed": 3, "batch": 4}
    assert shard.manifest["provenance"] == {**settings, "x": 1}


def test_harvest_does_not_depend_on_class_ranges_and_differs_between_splits(tmp_path: Path) -> None:
    whole = gather(tmp_path / "whole", range(3))
    for label in range(3):
        part = gather(tmp_path / str(label), range(label, label + 1), batch=3)
        np.testing.assert_array_equal(part.z, whole.z[whole.labels == label])
        np.testing.assert_array_equal(part.images, whole.images[whole.labels == label])
    other = gather(tmp_path / "evaluation", range(3), split="evaluation")
    assert not np.isin(other.z, whole.z).any()


def test_memory_does_not_grow_with_the_shard(tmp_path: Path) -> None:
    def large(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        return np.full((len(z), 64, 64, 3), labels[0], np.uint8)

    def peak(count: int) -> int:
        tracemalloc.start()
        gather(tmp_path / str(count), range(2), large, count=count, batch=10, z_dim=128)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(20)  # what is imported or cached once
    batch = 10 * 64 * 64 * 3
    few, many = peak(100), peak(2000)
    assert few > batch and many < few + batch
    assert many < 49e6 / 10  # a tenth of the shard's 49 MB


def test_a_teacher_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def failing(z: np.ndarray, labels: np.ndarray, truncation: float) -> np.ndarray:
        if labels[0] == 1:
            raise FloatingPointError("NaN")
        return painter(z, labels, truncation)

    with pytest.raises(FloatingPointError, match="^NaN$"):
        gather(tmp_path / "a", range(2), failing)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [{"split": "train"}, {"count": 0}, {"batch": 0}])
def test_harvest_refuses(tmp_path: Path, bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="harvest needs"):
        gather(tmp_path / "a", range(2), **bad)
    assert not list(tmp_path.iterdir())
