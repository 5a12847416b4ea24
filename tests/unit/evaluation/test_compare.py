"""Two folders of images against each other: scores, notes, and bad folders."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from helpers.compared_folders import EXTRACTOR, corners, pixels, write
from PIL import Image

from tinygan.data.shards import write_shard
from tinygan.evaluation.compare import compare, table
from tinygan.evaluation.image_sets import open_images, read_image
from tinygan.metrics.fid import frechet_distance
from tinygan.metrics.inception_score import inception_score


def scored(a: Path, b: Path, **options) -> dict:
    return compare(open_images(a), open_images(b), EXTRACTOR, progress=False, **options)


def test_scores_of_flat_folders_are_those_of_their_pixels(tmp_path):
    a, b = pixels(40), pixels(50, seed=1)
    result = scored(write(tmp_path / "a", a), write(tmp_path / "b", b, "bmp"), batch=7)
    (x, logits), (y, _) = corners(a), corners(b)
    assert result["scores"]["fid"]["value"] == pytest.approx(frechet_distance(x, y), rel=1e-12)
    about = result["a"]
    found = about["inception_score"]
    assert (found["value"], found["std"]) == pytest.approx(inception_score(logits, 10), rel=1e-12)
    assert (about["images"], result["b"]["images"]) == (40, 50)
    assert (about["sizes"], about["classes"]) == ({"8x8": 40}, None)
    digest = hashlib.sha256(b"".join(b"8 8 " + image.tobytes() for image in a))
    assert about["pixels_sha256"] == digest.hexdigest()
    assert (result["extractor"], result["extractor_sha256"]) == ("corners", "ab" * 32)
    assert (result["resize"], result["input_size"], result["seed"]) == ("none at all", 8, 0)
    without_interval = result["scores"].pop("fd_infinity")
    assert without_interval["low"] is without_interval["high"] is None
    sheet = {"mmd_rbf", "vendi", "authenticity", "copies"}
    paired = {"kid", "precision", "recall", "density", "coverage"}
    assert set(result["scores"]) == {"fid"} | paired | sheet
    assert all(score["low"] <= score["high"] for score in result["scores"].values())
    assert "not sorted into classes" in result["notes"][0]


def test_class_folders_and_a_shard_store_of_the_same_images_score_alike(tmp_path):
    a, b = pixels(48), pixels(60, seed=1)
    for label, (ours, theirs) in enumerate(zip(np.split(a, 2), np.split(b, 2), strict=True)):
        write(tmp_path / "a" / str(label), ours)
        write(tmp_path / "b" / str(label), theirs)
        shard = tmp_path / "store" / str(label)
        write_shard(shard, ours, np.full(24, label), source="x", provenance={})
    (tmp_path / "a" / "notes.txt").write_text("passed over")
    (tmp_path / "a" / ".hidden.png").write_text("passed over")
    result = scored(tmp_path / "a", tmp_path / "b")
    expected = [
        frechet_distance(corners(ours)[0], corners(theirs)[0])
        for ours, theirs in zip(np.split(a, 2), np.split(b, 2), strict=True)
    ]
    assert result["scores"]["intra_fid"]["value"] == pytest.approx(np.mean(expected), rel=1e-12)
    assert (result["a"]["classes"], result["notes"]) == (2, [])
    store = scored(tmp_path / "store", tmp_path / "b")
    assert store["a"] | {"path": "", "kind": ""} == result["a"] | {"path": "", "kind": ""}
    assert store["scores"] == result["scores"]
    one = scored(tmp_path / "store" / "0", tmp_path / "b")
    assert "1 classes are in one folder only, such as 1" in one["notes"][0]
    assert open_images(tmp_path / "a", by_class=False).labels is None


def test_a_draw_depends_on_the_seed_alone(tmp_path):
    a = write(tmp_path / "a", pixels(60))
    results = [scored(a, a, samples=30, seed=seed) for seed in (0, 0, 1)]
    hashes = [r["a"]["pixels_sha256"] for r in results]
    assert results[0] == results[1] and hashes[0] != hashes[2]
    assert hashes[0] != results[0]["b"]["pixels_sha256"]  # each side has a draw of its own
    assert results[0]["a"]["images"] == 30
    assert scored(a, a)["scores"]["fid"]["value"] == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="has 60 images, cannot draw 61"):
        scored(a, a, samples=61)


def test_images_of_several_sizes_are_counted(tmp_path):
    a = write(tmp_path / "a", pixels(30))
    Image.fromarray(pixels(1, 12)[0][:, :10]).save(a / "wide.png")
    result = scored(a, a, splits=2)
    assert result["a"]["sizes"] == {"8x8": 30, "10x12": 1}
    assert "8x8 and 1 other" in table(result)


def test_every_kind_of_image_becomes_rgb(tmp_path):
    rgb = pixels(1)[0]
    grey = rgb[..., 0]
    opaque = np.dstack([rgb, np.full((8, 8), 255, np.uint8)])
    for name, array, expected in (
        ("rgb.png", rgb, rgb),
        ("grey.png", grey, np.dstack([grey] * 3)),
        ("opaque.png", opaque, rgb),
    ):
        Image.fromarray(array).save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name), expected)
    Image.fromarray(rgb).quantize(256).save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), rgb)
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "cmyk.tif")
    assert read_image(tmp_path / "cmyk.tif").shape == (8, 8, 3)


def test_an_image_that_cannot_be_scored_is_named(tmp_path):
    rgb = pixels(1)[0]
    alpha = np.dstack([rgb, np.arange(64, dtype=np.uint8).reshape(8, 8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    Image.fromarray(rgb.astype(np.uint16)[..., 0] * 257).save(tmp_path / "deep.png")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    Image.fromarray(pixels(1, 64)[0]).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:2000])
    for name, message in (
        ("alpha.png", "transparent pixels; put it on a background"),
        ("deep.png", "more than 8 bits per channel"),
        ("text.png", "cannot identify"),
        ("empty.jpg", "cannot identify"),
        ("cut.png", "truncated"),
    ):
        with pytest.raises(ValueError, match=f"{name} cannot be scored: .*{message}"):
            read_image(tmp_path / name)


def test_folders_that_cannot_be_scored_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "readme.txt").touch()
    mixed = write(tmp_path / "mixed", pixels(2))
    write(mixed / "bear", pixels(2))
    for name in ("empty", "text"):
        with pytest.raises(ValueError, match=f"{name} has no images"):
            open_images(tmp_path / name)
    for name in ("none", "mixed/0000.png"):
        with pytest.raises(FileNotFoundError, match="is not a folder"):
            open_images(tmp_path / name)
    with pytest.raises(ValueError, match="0000.png beside sub-folders.*--no-classes"):
        open_images(mixed)
    assert len(open_images(mixed, by_class=False).readers) == 4


def test_the_same_folder_twice_is_noted(tmp_path):
    a = write(tmp_path / "a", pixels(12))
    assert "A and B are the same folder" in scored(a, a / ".." / "a")["notes"]
    assert len(scored(a, write(tmp_path / "b", pixels(12)))["notes"]) == 1


def test_a_class_of_two_images_is_scored_without_an_interval(tmp_path):
    for folder, seed in (("a", 0), ("b", 5)):
        for name, count in (("cat", 12), ("dog", 2)):
            write(tmp_path / folder / name, pixels(count, seed=seed + count))
    result = scored(tmp_path / "a", tmp_path / "b")
    intra, fid = result["scores"]["intra_fid"], result["scores"]["fid"]
    assert intra["value"] > 0 and intra["low"] is intra["high"] is None
    assert fid["low"] < fid["value"] < fid["high"]
    assert next(s for s in table(result).splitlines() if "intra_fid" in s).endswith("  –")
