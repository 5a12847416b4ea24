"""`tinygan show`: the teacher's images above a student's, for the same z and class."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.paths import ROOT
from PIL import Image

from tinygan.cli import main
from tinygan.data.shards import write_shard
from tinygan.models.io import load_generator
from tinygan.models.pixels import to_uint8

CLASSES = ["zebra", "sheep", "horse", "giraffe", "elephant", "dog", "cow", "cat", "bird", "bear"]
COUNT = 16


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in two shards, whose labels are in another order than the student's."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for first in (0, 5):
        labels = np.repeat(np.arange(first, first + 5), COUNT)
        images = rng.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
        z = rng.standard_normal((len(labels), 128)).astype(np.float32)
        folder = tmp_path / "run" / "previews" / "teacher" / f"00{first}"
        options = {"source": "teacher", "provenance": {}, "z": z}
        write_shard(folder, images, labels, names=CLASSES, **options)
    shutil.copytree(ROOT / "resources" / "tinygan_dw_mini", tmp_path / "run" / "models" / "dw")
    return Path("run")


def show(*words: object) -> int:
    return main(["show", *map(str, words)])


def test_two_rows_per_class_have_the_same_z(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--class", "bear", "zebra", "--count", COUNT, "--scale", 1, "--grid", "a.png"]
    assert show(run, *words) == 0
    assert capsys.readouterr().out == (
        "the teacher above dw, 16 z per class: bear, zebra\nwrote a.png: two rows per class\n"
    )
    found = np.asarray(Image.open("a.png")).reshape(4, 32, COUNT, 32, 3).swapaxes(1, 2)
    network = load_generator(run / "models" / "dw")
    for i, (shard, rows, label) in enumerate(
        [("005", slice(-COUNT, None), 0), ("000", slice(COUNT), 9)]
    ):
        folder = run / "previews" / "teacher" / shard
        assert np.array_equal(found[2 * i], np.load(folder / "images.npy")[rows])
        z = torch.from_numpy(np.load(folder / "z.npy")[rows])
        with torch.no_grad():
            student = to_uint8(network(z, torch.full((COUNT,), label)))
        assert np.array_equal(found[2 * i + 1], student)


def test_by_default_all_classes(run: Path) -> None:
    assert show(run) == 0
    assert Image.open("shown.png").size == (8 * 64, 20 * 64)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--student", "dv"], "run has no trained student dv; did you mean dw?"),
        (["run", "--student", "std_half"], "run has no trained student std_half; it has: dw"),
        (["nowhere"], "nowhere has no results of a run: give a folder such as results/mini"),
        (["run", "--class", "zebre"], "lacks the class zebre, did you mean zebra?"),
        (["run", "--count", 17], "teacher has 16 images of bear, fewer than 17"),
        (["run", "--count", 0], "--count 0: it must be 1 or more"),
        (["run", "--grid", "a.jpg"], "--grid a.jpg: its name must end in .png"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(run: Path, words, message, capsys) -> None:
    assert show(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygan show: ") and message in error and error.count("\n") == 1
    assert not list(Path().glob("*.png"))


def test_a_run_without_the_teachers_images_is_refused(run: Path, capsys) -> None:
    shutil.rmtree(run / "previews")
    assert show(run) == 1
    assert "run/previews/teacher has no images: run the pipeline" in capsys.readouterr().err
