"""`tinygan score A B`: its output, its exit status, and what it refuses."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers.command_line import start_tinygan
from helpers.compared_folders import EXTRACTOR, pixels, write
from helpers.paths import ROOT
from PIL import Image

from tinygan.cli import main
from tinygan.evaluation.compare import compare, select_images
from tinygan.evaluation.image_sets import open_images
from tinygan.seeding import stream


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
    assert "choose one of dinov2_vitl14, efficientnet_lite0, inception" in capsys.readouterr().err


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


def test_one_drawn_image_of_a_class_is_refused(classes):
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
        (["--extractor", "vgg"], "choose one of dinov2_vitl14, efficientnet_lite0, inception"),
        (["--out", "a"], "a is a folder: give the name of a file"),
        (["--out", "a/cat/0000.png/r.json"], "0000.png is a file, so"),
    ],
)
def test_bad_options_are_refused_before_anything_is_computed(classes, options, message, capsys):
    assert main(["score", "a", "b", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan score: ") and message in error and error.count("\n") == 1


def test_an_out_folder_that_cannot_be_written_to_is_refused(classes, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != classes)
    assert main(["score", "a", "b", "--out", "new/r.json"]) == 1
    assert "no write permission for" in capsys.readouterr().err


@pytest.mark.parametrize(("both", "unbuffered"), [(False, ""), (True, "1")])
def test_a_result_survives_a_broken_pipe(tmp_path, both, unbuffered):
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
    log = (tmp_path / "log").read_text()
    assert both or ("A against B" in log and "Error" not in log and "tinygan score:" not in log)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["validate"], ["--help"], ["score", "--help"]])
def test_other_subcommands_end_quietly_on_a_broken_pipe(words, unbuffered):
    read, written = os.pipe()
    os.close(read)
    options = {"env": {"PYTHONUNBUFFERED": unbuffered}, "stderr": subprocess.PIPE, "text": True}
    process = start_tinygan(*words, cwd=ROOT, stdout=written, **options)
    os.close(written)
    _, error = process.communicate()
    assert (process.returncode, error) == (141, "")


def test_an_ascii_terminal_gets_question_marks(tmp_path):
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


def test_options_may_precede_the_folders(classes, capsys):
    assert main(["score", "--splits", "99", "a", "b"]) == 1
    assert "too few for --splits 99" in capsys.readouterr().err
