"""Batches of images in .npz files, and means and covariances in place of reference images."""

import json

import numpy as np
import pytest
from helpers.compared_folders import EXTRACTOR, corners, pixels, write

from tinygan.cli import main
from tinygan.evaluation.compare import compare, compare_with_statistics, table
from tinygan.evaluation.image_sets import open_images
from tinygan.evaluation.statistics import is_statistics, read_statistics, write_statistics
from tinygan.metrics.fid import frechet_distance


def test_a_batch_scores_as_the_folder_of_its_images(tmp_path):
    a, b = pixels(40), pixels(50, seed=1)
    np.savez(tmp_path / "a.npz", a)
    write(tmp_path / "a", a)
    write(tmp_path / "b", b)
    folder, batch = (
        compare(open_images(tmp_path / name), open_images(tmp_path / "b"), EXTRACTOR)
        for name in ("a", "a.npz")
    )
    assert batch["a"]["kind"] == "npz"
    assert batch["a"] | {"path": "", "kind": ""} == folder["a"] | {"path": "", "kind": ""}
    assert batch["scores"] == folder["scores"]


def test_labels_of_a_batch_are_its_classes(tmp_path):
    labels = np.tile([7, 2], 20)
    np.savez(tmp_path / "a.npz", pixels(40), labels)
    found = open_images(tmp_path / "a.npz")
    assert list(found.labels) == ["2"] * 20 + ["7"] * 20
    np.testing.assert_array_equal(found.readers[0](), pixels(40)[1])
    assert open_images(tmp_path / "a.npz", by_class=False).labels is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": pixels(4)}, "has images, but no arr_0 with images"),
        ({"arr_0": pixels(4) / 255}, r"arr_0 is float64 \[4, 8, 8, 3\]; it must be"),
        ({"arr_0": pixels(4)[0]}, r"arr_0 is uint8 \[8, 8, 3\]"),
        ({"arr_0": pixels(4), "arr_1": np.arange(3)}, r"arr_1 is int64 \[3\]; .*--no-classes"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        open_images(tmp_path / "a.npz")


def test_the_fid_against_statistics_is_that_against_the_images(tmp_path):
    a, b = pixels(40), pixels(50, seed=1)
    write(tmp_path / "a", a)
    (x, _), (y, _) = corners(a), corners(b)
    # The form of other programs: np.cov over the samples.
    np.savez(tmp_path / "b.npz", mu=y.mean(axis=0), sigma=np.cov(y, rowvar=False))
    assert is_statistics(tmp_path / "b.npz") and not is_statistics(tmp_path / "a")
    result = compare_with_statistics(
        open_images(tmp_path / "a"), tmp_path / "b.npz", EXTRACTOR, progress=False
    )
    fid = result["scores"]["fid"]
    assert fid["value"] == pytest.approx(frechet_distance(x, y), rel=1e-5)  # float32 statistics
    assert fid["low"] < fid["value"] < fid["high"] and list(result["scores"]) == ["fid"]
    assert "only the FID" in result["notes"][0] and "b.npz" in table(result)
    write_statistics(tmp_path / "own.npz", y)
    own = compare_with_statistics(open_images(tmp_path / "a"), tmp_path / "own.npz", EXTRACTOR)
    assert own["scores"]["fid"]["value"] == pytest.approx(frechet_distance(x, y), rel=1e-10)


@pytest.mark.parametrize(
    ("mu", "sigma", "message"),
    [
        (np.zeros(3), np.eye(4), r"expected mu \[d\] and sigma \[d, d\], found \[3\] and \[4, 4\]"),
        (np.zeros(3), np.full((3, 3), np.nan), "NaN or infinity"),
        (np.zeros(3), np.triu(np.ones((3, 3))), "not symmetric"),
    ],
)
def test_bad_statistics_are_refused(tmp_path, mu, sigma, message):
    np.savez(tmp_path / "b.npz", mu=mu, sigma=sigma)
    with pytest.raises(ValueError, match=message):
        read_statistics(tmp_path / "b.npz")


def test_statistics_of_another_extractor_are_refused(tmp_path):
    np.savez(tmp_path / "b.npz", mu=np.zeros(5), sigma=np.eye(5))
    images = open_images(write(tmp_path / "a", pixels(20)))
    with pytest.raises(ValueError, match="of 5 features, but corners has 4"):
        compare_with_statistics(images, tmp_path / "b.npz", EXTRACTOR)


@pytest.mark.slow
def test_the_commands_write_and_read_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "b", pixels(12, seed=1))
    small = ["--input-size", "32"]
    assert main(["statistics", "b", "--out", "b.json"]) == 1
    assert "must end in .npz" in capsys.readouterr().err
    assert main(["statistics", "b", "--out", "b.npz", *small]) == 0
    assert "mu and sigma of 12 images" in capsys.readouterr().out
    generate = ["generate", "--class", "zebra", "cow", "--count", "6", "--npz", "a.npz"]
    assert main(generate) == 0 and not (tmp_path / "generated.png").exists()
    capsys.readouterr()
    assert main(["score", "a.npz", "b.npz", *small, "--splits", "2"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["a"]["classes"] == 2 and scored["b"]["kind"] == "statistics"
    assert main(["score", "a.npz", "b", *small, "--splits", "2"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["scores"]["fid"]["value"] == pytest.approx(scored["scores"]["fid"]["value"])
