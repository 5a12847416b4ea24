"""The largest and the mean step of every path, of several sources."""

from pathlib import Path

import numpy as np
import pytest

from tinygan.evaluation.smoothness import COLUMNS, smoothness
from tinygan.features.extractor import Extractor
from tinygan.generation.interpolation_files import write_interpolation
from tinygan.generation.paths import draw_paths


def write_shades(folder: Path, shades: list[list[int]], source: str, seed: int) -> Path:
    """Write one path of kind both, one of y and one of z, whose images have these shades."""
    paths = draw_paths(0, 2, 4, 0.5, {"both": 1, "y": 1, "z": 1})
    images = np.array(shades, np.uint8)[..., None, None, None].repeat(3, axis=-1)
    about = {"names": ["cat", "dog"], "provenance": {}, "source": source, "seed": seed}
    write_interpolation(folder, images, paths, **about)
    return folder / "manifest.json"


def test_rows_have_the_largest_and_the_mean_step_of_each_path(tmp_path: Path) -> None:
    # Features (s, s) of the shade s: a step of d levels has the length d sqrt(2).
    extractor = Extractor("shade", "ab", 1, "", lambda images: (images[:, 0, 0, :2] * 1.0, None))
    smooth = write_shades(tmp_path / "a", [[0, 0, 200], [10, 20, 30], [50, 40, 30]], "teacher", 0)
    jump = write_shades(tmp_path / "b", [[0, 0, 200], [10, 10, 30], [50, 50, 53]], "dw", 1)
    rows = list(smoothness([smooth, jump], extractor, batch=2))
    assert all(tuple(row) == COLUMNS for row in rows)
    expected = [
        *(("teacher", 0, "y", 0, 10, 10), ("teacher", 0, "z", 0, 10, 10)),
        *(("dw", 1, "y", 0, 20, 10), ("dw", 1, "z", 0, 3, 1.5)),
    ]
    for row, (*names, largest, mean) in zip(rows, expected, strict=True):
        assert [row[key] for key in COLUMNS[:4]] == names
        assert (row["largest"], row["mean"]) == pytest.approx((largest * 2**0.5, mean * 2**0.5))
