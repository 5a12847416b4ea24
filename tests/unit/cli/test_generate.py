"""`tinygan generate`: a grid, files and animations, without a config; what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinygan import load_generator
from tinygan.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, without a config."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generate(*words: object) -> int:
    return main(["generate", *map(str, words)])


def read(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_by_default_a_grid_of_all_classes(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate() == 0
    assert files() == ["generated.png"]
    assert read("generated.png").shape == (640, 512, 3)
    said = capsys.readouterr().out
    assert said.startswith("mini-dw: 80 images, 8 per class, seed 0, truncation 0.8: bear, bird,")
    assert said.endswith("wrote generated.png: a row per class\n")


def test_files_and_grid_hold_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--class", "zebra", 2, "zebra", "--count", 3, "--seed", 7, "--truncation", 0.5]
    assert generate(*words, "--out", "a/b", "--grid", "grid.png") == 0
    images = load_generator("mini-dw").sample(["zebra", "cat"], n=3, seed=7, truncation=0.5)
    names = [f"a/b/{name}-000{i}.png" for name in ("zebra", "cat") for i in range(3)]
    assert files() == sorted([*names, "grid.png"])
    for name, image in zip(names, images, strict=True):
        assert np.array_equal(read(name), image)
    assert read("grid.png").shape == (128, 192, 3)
    assert np.array_equal(read("grid.png")[64::2, 128::2], images[5])
    assert "seed 7, truncation 0.5: zebra, cat\n" in capsys.readouterr().out
    # Files of the same names are replaced, others stay.
    Path("a/b/notes.txt").touch()
    assert generate("--class", "cat", "--count", 1, "--seed", 8, "--out", "a/b", "--scale", 2) == 0
    assert len(files()) == 8 and read("a/b/cat-0000.png").shape == (64, 64, 3)
    assert np.array_equal(read("a/b/zebra-0000.png"), images[0])


@pytest.mark.parametrize("kind", ["z", "class"])
def test_an_animation_starts_and_ends_where_its_paths_do(kind: str) -> None:
    words = ["--interpolate", kind, "--class", "cat", "bear", "--count", 2, "--steps", 4]
    words += ["--scale", 1, "--gif", "a.gif", "--webp", "a.webp", "--grid", "a.png"]
    assert generate(*words) == 0
    assert files() == ["a.gif", "a.png", "a.webp"]
    paths = load_generator("mini-dw").interpolate(kind, ["cat", "bear"], n=2, steps=4)
    for name in ("a.gif", "a.webp"):
        with Image.open(name) as animation:
            assert animation.n_frames == 5
            for frame in (0, 4):
                animation.seek(frame)
                found = np.asarray(animation.convert("RGB"))
                assert found.shape == (32 * len(paths) // 2, 64, 3)
                assert np.array_equal(found[:32, 32:], paths[1, frame])
                assert np.array_equal(found[-32:, -32:], paths[-1, frame])
    assert np.array_equal(read("a.png")[-32:, 32:64], paths[-1, 1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--class", "zebre"], "mini-dw lacks the class zebre, did you mean zebra?"),
        (["--class", "10"], "mini-dw has no class 10: its indices are 0 to 9"),
        (["--model", "mini-std"], "mini-std is neither the folder nor the name of a model"),
        (["--count", 0], "--count 0: it must be 1 or more"),
        (["--scale", 0], "--scale 0: it must be 1 or more"),
        (["--truncation", 0], "--truncation 0.0: it must be a number above 0"),
        (["--truncation", "nan"], "--truncation nan: it must be a number above 0"),
        (["--gif", "a.gif"], "add --interpolate z or class"),
        (["--interpolate", "z", "--out", "a"], "with --interpolate use --grid, --gif, --webp"),
        (["--interpolate", "class", "--class", "cat"], "give two of them or more"),
        (["--grid", "a.jpg"], "--grid a.jpg: its name must end in .png"),
        (["--interpolate", "z", "--gif", "a.webp"], "its name must end in .gif"),
        (["--out", "file"], "file is a file"),
        (["--out", "file/a"], "is a file"),
        (["--grid", "folder.png"], "folder.png is a folder"),
    ],
)
def test_what_cannot_be_drawn_is_one_clear_line(words, message, capsys) -> None:
    Path("file").touch()
    Path("folder.png").mkdir()
    assert generate(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan generate: ") and message in error
    assert error.count("\n") == 1
    assert files() == ["file"]
