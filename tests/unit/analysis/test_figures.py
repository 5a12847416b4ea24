"""The figures: grids of images, correlations and their files."""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers.run_results import (
    CLASSES,
    call,
    manifests,
    reading,
    shown_tiles,
)

from tinygan.data.shards import write_shard

grids, measures = (importlib.import_module(name) for name in ("grids", "measures"))


def pairs(results: Path, student: str, *options) -> np.ndarray:
    return grids.pairs(manifests(results, "teacher"), manifests(results, student), *options)


def intra(results: Path) -> list[Path]:
    return sorted((results / "intra_fid").iterdir())


@pytest.mark.parametrize(
    ("name", "size"),
    [("fig1", (8, 6)), ("fig3", (2, 6)), ("fig11", (6, 3))],
)
def test_grids_show_the_images_themselves(results, name, size):
    """Every tile is found in the PNG, pixel for pixel, at the place of its row and column."""
    call(name, results)
    student = "pix_only" if name == "fig3" else "dw"
    scores = reading.read_intra_fid(intra(results), "dw").intra_fid
    classes = list(scores.nlargest(3).index) if name == "fig11" else list(range(6))
    rows, columns = size
    images = pairs(results, student, classes, rows // 2)
    assert images.shape[:2] == size
    expected = images.repeat(16, axis=2).repeat(16, axis=3)
    np.testing.assert_array_equal(
        shown_tiles(results / "out" / f"{name}.png", rows, columns), expected
    )


def test_pairs_have_the_same_input(results):
    images = pairs(results, "dw", [4], 2)
    for row, source in enumerate(("teacher", "dw")):
        stored = np.load(results / "images" / source / "003-005" / "images.npy")
        assert np.array_equal(images[row::2, 0], stored[5:7])
    labels = np.repeat(np.arange(3), 5)
    blank = np.zeros((15, 8, 8, 3), np.uint8)
    folder = results / "images" / "dw" / "000-002"
    write_shard(folder, blank, labels, np.zeros((15, 4)), source="dw", provenance={})
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [0], 1)
    with pytest.raises(ValueError, match="lack 6 samples"):
        pairs(results, "dw", [4], 6)
    files = [results / "images" / "std" / "003-005" / "manifest.json"]
    with pytest.raises(FileNotFoundError, match="std/003-005/manifest.json is missing"):
        grids.pairs(manifests(results, "teacher"), files, [4], 1)


def test_pairs_find_classes_by_name(results):
    """The student's store in another order than the teacher's shows the same classes."""
    z = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    image = np.repeat(np.arange(6, dtype=np.uint8), 8 * 8 * 3).reshape(6, 8, 8, 3)
    for source, order in (("teacher", [0, 1, 2, 3, 4, 5]), ("dw", [5, 4, 3, 2, 1, 0])):
        for old in (results / "images" / source).iterdir():
            shutil.rmtree(old)
        names = [CLASSES[label] for label in order]
        about = {"source": source, "provenance": {}, "names": names}
        folder = results / "images" / source / "000-005"
        write_shard(folder, image[order], np.arange(6), z[order], **about)
    images = pairs(results, "dw", [1, 4], 1, CLASSES)
    assert images[:, :, 0, 0, 0].tolist() == [[1, 4], [1, 4]]
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [1], 1)
    with pytest.raises(ValueError, match="images/teacher: zebra is not a class"):
        pairs(results, "dw", [1], 1, CLASSES[:5])


def test_worst_classes_come_first():
    worst = measures.worst_classes
    assert worst({0: 5.0, 1: 9.0, 2: 7.0, 3: 9.0}) == [1, 3]
    assert worst({0: 1.0}) == [0]
    assert worst({c: float(c) for c in range(398)}) == list(range(397, 387, -1))
    assert grids.spread_classes(6) == [0, 1, 2, 3, 4, 5]
    many = grids.spread_classes(398)
    assert len(set(many)) == 10 and many[0] == 0 and many[-1] == 397


def test_fig9_correlates_classes(results):
    found = call("fig9", results)
    teacher = pd.read_csv(results / "intra_fid" / "teacher.csv").intra_fid
    for student in ("dw", "std"):
        scores = pd.read_csv(results / "intra_fid" / f"{student}.csv").intra_fid
        assert abs(found[student] - np.corrcoef(teacher, scores)[0, 1]) < 1e-12
    with pytest.raises(ValueError, match="differ"):
        measures.pearson(np.ones(4), np.arange(4.0))


def few_classes(results: Path, count: int) -> None:
    """Keep the first classes of the run alone."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    (results / "config.yaml").write_text(yaml.safe_dump(config | {"classes": CLASSES[:count]}))
    for path in (results / "intra_fid").iterdir():
        pd.read_csv(path).head(count).to_csv(path, index=False)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_correlation_of_too_few_classes_is_neither_drawn_nor_judged(results, count, monkeypatch):
    few_classes(results, count)
    figures = []
    fig9 = sys.modules["fig9"]
    monkeypatch.setattr(fig9, "save", lambda figure, out: figures.append(figure))
    assert call("fig9", results) == {"dw": None, "std": None}
    for axes in figures[0].axes:
        assert axes.get_title().endswith(": r needs at least 4 classes")
        assert [line.get_label() for line in axes.lines] == ["identity"]
        assert len(axes.collections[0].get_offsets()) == count
    judged = call("claims", results, results / "claims.md")
    assert [claim.holds for claim in judged] == [True] * 4 + [None]
    text = (results / "claims.md").read_text()
    assert "| not judged: needs at least 4 classes whose scores differ |" in text
    assert "| TinyGAN-dw | 0.54 | – |" in text and "nan" not in text


def test_a_correlation_of_enough_classes_needs_scores_that_differ(results):
    few_classes(results, 4)
    assert call("fig9", results)["dw"] is not None
    path = results / "intra_fid" / "teacher.csv"
    pd.read_csv(path).assign(intra_fid=50.0).to_csv(path, index=False)
    assert call("fig9", results) == {"dw": None, "std": None}
    assert call("claims", results, results / "claims.md")[4].holds is None


def test_figures_have_as_many_rows_as_there_are_images(results):
    for first in (0, 3):
        labels, z = np.repeat(np.arange(first, first + 3), 2), np.zeros((6, 4), np.float32)
        for source in ("teacher", "dw"):
            folder = results / "images" / source / f"{first:03d}-{first + 2:03d}"
            write_shard(
                folder, np.zeros((6, 8, 8, 3), np.uint8), labels, z, source=source, provenance={}
            )
    stores = [manifests(results, source) for source in ("teacher", "dw")]
    assert grids.row_pairs(*stores, 4) == 2 and grids.row_pairs(*stores, 1) == 1
    for name, rows, columns in (("fig1", 4, 6), ("fig11", 4, 3)):
        call(name, results)
        assert not shown_tiles(results / "out" / f"{name}.png", rows, columns).any()


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig8", "fig9", "fig11"])
def test_figures_have_equal_bytes_in_two_runs(results, name):
    for again in ("a", "b"):
        call(name, results, results / again / name)
    for suffix in ("png", "pdf"):
        first, second = ((results / again / f"{name}.{suffix}").read_bytes() for again in "ab")
        assert first == second
        assert first.startswith(b"\x89PNG" if suffix == "png" else b"%PDF-")
    assert b"CreationDate" not in first
    assert sorted(path.name for path in (results / "a").iterdir()) == [f"{name}.pdf", f"{name}.png"]
