"""Two folders of images against each other: the scores, what is told of them, and bad folders."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import start_tinygan
from helpers.paths import ROOT
from PIL import Image

from tinygan.cli import main
from tinygan.data.shards import write_shard
from tinygan.evaluation.compare import compare, select_images, table
from tinygan.evaluation.image_sets import open_images, read_image
from tinygan.features.extractor import Extractor
from tinygan.metrics.fid import frechet_distance
from tinygan.metrics.inception_score import inception_score
from tinygan.seeding import stream


def corners(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An extractor that can be followed by hand: four pixels of the red channel."""
    features = images[:, [0, 0, -1, -1], [0, -1, 0, -1], 0].astype(np.float32)
    return features, features[:, :3] / 50


EXTRACTOR = Extractor("corners", "ab" * 32, 8, "none at all", corners)


def pixels(count: int, side: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def write(folder: Path, images: np.ndarray, suffix: str = "png") -> Path:
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:04d}.{suffix}")
    return folder


def scored(a: Path, b: Path, **options) -> dict:
    return compare(open_images(a), open_images(b), EXTRACTOR, progress=False, **options)


def test_flat_folders_are_scored_as_their_pixels_are(tmp_path):
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
    assert set(result["scores"]) == {"fid", "kid", "precision", "recall", "density", "coverage"}
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


@pytest.mark.slow
def test_the_command_needs_no_config_and_prints_a_table_and_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", pixels(12))
    write(tmp_path / "b", pixels(12, seed=1))
    options = ["--extractor", "efficientnet_lite0", "--input-size", "32", "--splits", "2"]
    assert main(["score", "a", "b", *options, "--out", "result.json"]) == 0
    out, err = capsys.readouterr()
    assert "fid" in err and "Inception score" in err and "efficientnet_lite0" in err
    printed = json.loads(out)
    assert printed == json.loads(Path("result.json").read_text())
    assert (printed["extractor"], printed["input_size"]) == ("efficientnet_lite0", 32)
    assert "image/s" in err
    assert main(["score", "a", "none"]) == 1
    assert capsys.readouterr().err.startswith("tinygan score: none is not a folder")
    assert main(["compare", "a", "none"]) == 1
    assert capsys.readouterr().err.startswith("tinygan compare: none is not a folder")
    assert main(["compare", "a", "b", "--extractor", "vgg"]) == 1
    assert "choose one of efficientnet_lite0, inception_tf" in capsys.readouterr().err


@pytest.fixture
def classes(tmp_path, monkeypatch) -> Path:
    """Two folders a and b of the classes cat and dog, where no extractor can be opened."""
    monkeypatch.chdir(tmp_path)
    for folder in "ab":
        for name in ("cat", "dog"):
            write(tmp_path / folder / name, pixels(12))
    monkeypatch.setattr("tinygan.features.extract.open_extractor", None)
    return tmp_path


@pytest.mark.parametrize("folder", ["a", "b"])
def test_one_image_in_a_class_is_refused_before_anything_is_computed(classes, folder, capsys):
    for file in sorted((classes / folder / "dog").iterdir())[1:]:
        file.unlink()
    assert main(["score", "a", "b"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"tinygan score: class dog has 1 image in {folder}, ")
    assert "--no-classes" in error and "cat" not in error
    scored = compare(*(open_images(classes / f, by_class=False) for f in "ab"), EXTRACTOR)
    assert scored["a"]["images"] + scored["b"]["images"] == 37


def test_one_image_of_those_drawn_is_told_apart(classes):
    (classes / "a" / "cow").mkdir()
    for folder, count in (("a", 3), ("b", 40)):
        (classes / folder / "cow").mkdir(exist_ok=True)
        for i, image in enumerate(pixels(count)):
            Image.fromarray(image).save(classes / folder / "cow" / f"{i}.png")
    sets = [open_images(classes / folder) for folder in "ab"]
    for seed in range(20):
        drawn = sets[0].choose(9, stream(seed, "compare", 0)).labels
        if drawn.count("cow") == 1 and drawn.count("cat") > 1 and drawn.count("dog") > 1:
            break
    with pytest.raises(ValueError, match="class cow has 1 image of those drawn in "):
        select_images(*sets, seed=seed, samples=9, splits=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--samples", "25"], "a has 24 images, cannot draw 25"),
        (["--splits", "25"], "a has 24 images, too few for --splits 25"),
        (["--samples", "9"], "a has 9 images, too few for --splits 10"),
        (["--samples", "5", "--splits", "1", "--no-classes"], "a has 5 images, but precision"),
        (["--splits", "0"], "--splits 0: it must be 1 or more"),
        (["--samples", "0"], "--samples 0: it must be 1 or more"),
        (["--batch", "0"], "--batch 0: it must be 1 or more"),
        (["--threads", "-1"], "--threads -1: it must be 1 or more"),
        (["--input-size", "0"], "--input-size 0: it must be 1 or more"),
        (["--seed", "-1"], "--seed -1: it must be 0 or more"),
        (["--extractor", "vgg"], "choose one of efficientnet_lite0, inception_tf"),
        (["--out", "a"], "a is a folder: give the name of a file"),
        (["--out", "a/cat/0000.png/r.json"], "0000.png is a file, so"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_computed(
    classes, options, message, capsys
):
    assert main(["score", "a", "b", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan score: ") and message in error and error.count("\n") == 1


def test_an_out_folder_that_cannot_be_written_to_is_refused(classes, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != classes)
    assert main(["score", "a", "b", "--out", "new/r.json"]) == 1
    assert "no write permission for" in capsys.readouterr().err


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


@pytest.mark.parametrize(("both", "unbuffered"), [(False, ""), (True, "1")])
def test_a_result_is_not_lost_with_the_reader_of_the_pipe(tmp_path, both, unbuffered):
    """As with `tinygan score a b --out r.json | true`, or `|& true`."""
    for name in "ab":
        write(tmp_path / name, pixels(12, seed=ord(name)))
    read, written = os.pipe()
    os.close(read)
    with open(tmp_path / "log", "w") as log:
        process = start_tinygan(
            *("score", "a", "b", "--input-size", "32", "--splits", "2", "--out", "r.json"),
            cwd=tmp_path,
            stdout=written,
            stderr=written if both else log,
            env={"PYTHONUNBUFFERED": unbuffered},
        )
        os.close(written)
        assert process.wait() == 141
    assert json.loads((tmp_path / "r.json").read_text())["a"]["images"] == 12
    said = (tmp_path / "log").read_text()
    assert both or ("A against B" in said and "Error" not in said and "tinygan score:" not in said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", [["validate"], ["--help"], ["score", "--help"]])
def test_other_commands_end_quietly_too(verb, unbuffered):
    read, written = os.pipe()
    os.close(read)
    options = {"env": {"PYTHONUNBUFFERED": unbuffered}, "stderr": subprocess.PIPE, "text": True}
    process = start_tinygan(*verb, cwd=ROOT, stdout=written, **options)
    os.close(written)
    _, error = process.communicate()
    assert (process.returncode, error) == (141, "")


def test_an_ascii_terminal_shows_what_it_can(tmp_path):
    name = "ünïcode 猫"
    for folder in (name, "b"):
        write(tmp_path / folder, pixels(12, seed=len(folder)))
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    process = start_tinygan(
        *("score", name, "b", "--input-size", "32", "--splits", "2"),
        cwd=tmp_path,
        env=ascii_only,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert os.fsencode(json.loads(out)["a"]["path"]) == name.encode()
    assert b"n??code ???" in err and err.isascii()


def test_both_forms_of_score_have_a_help_of_their_own(capsys):
    for words, shown, hidden in (
        (["score", "--help"], ("tinygan score ", "--no-classes", " a b"), "--intra"),
        (["score", "a", "b", "--help"], ("tinygan score ", "--no-classes"), "--intra"),
        (["score", "--source", "x", "--help"], ("tinygan score ", "--intra"), "--no-classes"),
        (["score-features", "--help"], ("--intra", "score A B"), "--no-classes"),
        (["compare", "--help"], ("--no-classes",), "--intra"),
    ):
        with pytest.raises(SystemExit) as end:
            main(words)
        out = capsys.readouterr().out
        assert end.value.code == 0
        assert all(word in out for word in shown) and hidden not in out
    with pytest.raises(SystemExit) as end:
        main(["score"])
    assert end.value.code == 2
    assert "tinygan score: error: the following arguments are required: a, b" in (
        capsys.readouterr().err
    )


def test_options_may_stand_before_the_folders(classes, capsys):
    assert main(["score", "--splits", "99", "a", "b"]) == 1
    assert "too few for --splits 99" in capsys.readouterr().err
