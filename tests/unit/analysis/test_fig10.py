"""Figure 10: which paths it shows, in which order, and how they are labelled."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from helpers.run_results import script
from matplotlib.figure import Figure

from tinygan.generation.interpolation_files import write_interpolation
from tinygan.generation.paths import draw_paths

fig10 = importlib.import_module("fig10")

CLASSES = ["bear", "bird", "cat"]
PATHS = draw_paths(0, 3, 4, 0.5, {"both": 1, "y": 3, "z": 3})
SHOWN = [0, 1, 2, 4, 5]  # both, the first two of y, the first two of z
COLUMNS = range(0, 33, 4)


def write(folder: Path, source: str, seed: int = 0) -> tuple[list[Path], np.ndarray]:
    """Write noise as the interpolations of a source; return the files and the images."""
    rng = np.random.default_rng(len(source))
    images = rng.integers(0, 256, (len(PATHS), 33, 8, 8, 3), dtype=np.uint8)
    about = {"names": CLASSES, "source": source, "seed": seed, "provenance": {}}
    write_interpolation(folder, images, PATHS, **about)
    return [folder / "manifest.json", folder / "images.npy"], images


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that the script draws."""
    figures: list[Figure] = []
    monkeypatch.setattr(fig10, "save", lambda figure, out: figures.append(figure))
    return figures


def tiles(figure: Figure, rows: int, group: int) -> np.ndarray:
    """Return the tiles of a figure, uint8 [rows, 9, 128, 128, 3]; groups are 8 px further apart."""
    canvas = figure.axes[0].images[0].get_array()
    tops = [i * 132 + i // group * 8 for i in range(rows)]
    assert canvas.shape == (tops[-1] + 128, 9 * 132 - 4, 3)
    lefts = range(0, 9 * 132, 132)
    return np.array([[canvas[y : y + 128, x : x + 128] for x in lefts] for y in tops])


def labels(figure: Figure) -> tuple[list[str], list[str], str]:
    """Return the labels at the left, those at the right, and the note."""
    texts = [text for text in figure.axes[0].texts if text.get_va() == "center"]
    sides = [[t.get_text() for t in texts if t.get_ha() == side] for side in ("right", "left")]
    return *sides, figure.texts[0].get_text()


def test_the_teachers_rows_are_above_the_students(tmp_path: Path, drawn: list[Figure]) -> None:
    student, ours = write(tmp_path / "dw", "dw")
    teacher, theirs = write(tmp_path / "teacher", "teacher")
    # Whatever the order of the files.
    fig10.fig10(script.Run({}, {"paths": student + teacher}, tmp_path / "fig10"))
    shown = tiles(drawn[0], 10, 2)
    for images, first in ((theirs, 0), (ours, 1)):
        expected = (
            images[SHOWN][:, COLUMNS]
            .repeat(16, axis=2)
            .repeat(16, axis=3)
            .reshape(5, 9, 128, 128, 3)
        )
        np.testing.assert_array_equal(shown[first::2], expected)
    left, right, note = labels(drawn[0])
    ends = [[CLASSES[label] for label in PATHS[index].classes] for index in SHOWN]
    changes = ["z and class:", "class only:", "class only:", "z only:", "z only:"]
    for row, ((start, end), change) in enumerate(zip(ends, changes, strict=True)):
        assert left[2 * row] == f"{change}\nteacher\n{start}"
        assert left[2 * row + 1] == f"TinyGAN-dw\n{start}"
        assert right[2 * row : 2 * row + 2] == [end, end]
    assert note == "The ends were drawn at random."
    heads = [text.get_text() for text in drawn[0].axes[0].texts if text.get_ha() == "center"]
    assert heads == [f"t = {i / 8:g}" for i in range(9)]


def test_without_a_teacher_the_student_is_alone_and_the_figure_says_why(
    tmp_path: Path, drawn: list[Figure], capsys: pytest.CaptureFixture
) -> None:
    student, images = write(tmp_path / "dw", "dw")
    fig10.fig10(script.Run({}, {"paths": student}, tmp_path / "fig10"))
    shown = tiles(drawn[0], 5, 1)
    np.testing.assert_array_equal(shown[:, :, ::16, ::16], images[SHOWN][:, COLUMNS])
    left, _, note = labels(drawn[0])
    assert all("TinyGAN-dw" in label for label in left)
    assert "takes one class per image, so it cannot be interpolated" in note
    assert "so it cannot be interpolated" in capsys.readouterr().err


def test_the_files_have_equal_bytes_in_two_runs(tmp_path: Path) -> None:
    student, _ = write(tmp_path / "dw", "dw")
    for again in ("a", "b"):
        fig10.fig10(script.Run({}, {"paths": student}, tmp_path / again / "fig10"))
    for suffix in ("png", "pdf"):
        first, second = ((tmp_path / again / f"fig10.{suffix}").read_bytes() for again in "ab")
        assert first == second
