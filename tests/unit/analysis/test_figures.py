"""The figures: grids of images, correlations and their files."""

import importlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers.pdf_pages import read_page
from helpers.run_results import (
    CLASSES,
    call,
    make,
    manifests,
    reading,
    script,
    shown_tiles,
    write_results,
)

from tinygan.data.shards import write_shard
from tinygan.seeding import stream

grids, measures, style, fig7 = (
    importlib.import_module(name) for name in ("grids", "measures", "style", "fig7")
)


def pairs(results: Path, student: str, *options) -> np.ndarray:
    return grids.pairs(manifests(results, "teacher"), manifests(results, student), *options)


def intra(results: Path) -> list[Path]:
    return sorted((results / "intra_fid").iterdir())


@pytest.mark.parametrize(
    ("name", "size"),
    [("fig1", (8, 6)), ("fig3", (2, 6)), ("fig11", (2, 3))],
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
    np.testing.assert_array_equal(
        shown_tiles(results / "out" / f"{name}.png", rows, columns), enlarged(images, 16)
    )


def enlarged(images: np.ndarray, factor: int) -> np.ndarray:
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


@pytest.mark.parametrize(("size", "factor"), [(20, 6), (32, 4), (48, 3), (128, 1), (160, 1)])
def test_images_are_enlarged_by_whole_factors_in_png_and_pdf(tmp_path, size, factor):
    """Tiles of other sizes than 128 px are as wide on paper, at another resolution."""
    images = np.random.default_rng(0).integers(0, 255, (4, 10, size, size, 3), dtype=np.uint8)
    style.save(grids.image_grid(images, ["row"] * 4, ["column"] * 10), tmp_path / "grid")
    tile = size * factor
    shown = shown_tiles(tmp_path / "grid.png", 4, 10, tile=tile)
    np.testing.assert_array_equal(shown, enlarged(images, factor))
    page = read_page(tmp_path / "grid.pdf")
    assert 6.75 * 72 < page.width <= 6.9 * 72
    assert not page.smoothed
    (stored,) = page.images
    stored = stored[::-1]  # Matplotlib writes the rows from the bottom, and places them upside down
    gap = 4 * tile // 128
    tops = [0, tile + gap, 2 * tile + 4 * gap, 3 * tile + 5 * gap]
    for i, j in ((0, 0), (1, 3), (3, 9)):
        left = j * (tile + gap)
        found = stored[tops[i] : tops[i] + tile, left : left + tile]
        np.testing.assert_array_equal(found, enlarged(images[i, j], factor))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("rhinoceros beetle", "rhinoceros\nbeetle"),
        ("black-and-tan coonhound", "black-and-\ntan\ncoonhound"),
        ("hippopotamus", "hippop-\notamus"),
        ("50 $", "50 \\$"),
        ("", ""),
    ],
)
def test_headings_are_no_wider_than_their_tile(name, shown):
    style.style()
    figure = grids.plt.figure(dpi=216)
    assert grids._wrapped(figure, name, 128, 6.5) == shown


def test_pairs_have_the_same_input(results):
    images = pairs(results, "dw", [4], 2)
    for row, source in enumerate(("teacher", "dw")):
        stored = np.load(results / "previews" / source / "003-005" / "images.npy")
        assert np.array_equal(images[row::2, 0], stored[5:7])
    labels = np.repeat(np.arange(3), 5)
    blank = np.zeros((15, 8, 8, 3), np.uint8)
    folder = results / "previews" / "dw" / "000-002"
    write_shard(folder, blank, labels, np.zeros((15, 4)), source="dw", provenance={})
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [0], 1)
    with pytest.raises(ValueError, match="lack image 5 of class 4, of which there are 5"):
        pairs(results, "dw", [4], 6)
    files = [results / "previews" / "std" / "003-005" / "manifest.json"]
    with pytest.raises(FileNotFoundError, match="std/003-005/manifest.json is missing"):
        grids.pairs(manifests(results, "teacher"), files, [4], 1)


def test_pairs_find_classes_by_name(results):
    """The student's store in another order than the teacher's shows the same classes."""
    z = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    image = np.repeat(np.arange(6, dtype=np.uint8), 8 * 8 * 3).reshape(6, 8, 8, 3)
    for source, order in (("teacher", [0, 1, 2, 3, 4, 5]), ("dw", [5, 4, 3, 2, 1, 0])):
        for old in (results / "previews" / source).iterdir():
            shutil.rmtree(old)
        names = [CLASSES[label] for label in order]
        about = {"source": source, "provenance": {}, "names": names}
        folder = results / "previews" / source / "000-005"
        write_shard(folder, image[order], np.arange(6), z[order], **about)
    images = pairs(results, "dw", [1, 4], 1, CLASSES)
    assert images[:, :, 0, 0, 0].tolist() == [[1, 4], [1, 4]]
    with pytest.raises(ValueError, match="different z"):
        pairs(results, "dw", [1], 1)
    with pytest.raises(ValueError, match="previews/teacher: zebra is not a class"):
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
        assert abs(found[student][0] - np.corrcoef(teacher, scores)[0, 1]) < 1e-12
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
    assert f"here: {count}. The dots show which" in figures[0].legends[0].get_title().get_text()
    for axes in figures[0].axes:
        assert axes.get_title().endswith(": no r")
        assert [line.get_label() for line in axes.lines] == ["identity"]
        assert len(axes.collections[0].get_offsets()) == count
    judged = call("claims", results, results / "claims")
    reason = "needs at least 4 classes whose scores differ"
    assert (judged[4].verdict, judged[4].reason) == ("undecided", reason)
    text = (results / "claims.md").read_text()
    assert "| TinyGAN-dw | 0.54 | – | – |" in text and "nan" not in text


def test_a_correlation_of_enough_classes_needs_scores_that_differ(results):
    few_classes(results, 4)
    assert call("fig9", results)["dw"] is not None
    path = results / "intra_fid" / "teacher.csv"
    pd.read_csv(path).assign(intra_fid=50.0).to_csv(path, index=False)
    assert call("fig9", results) == {"dw": None, "std": None}
    assert call("claims", results, results / "claims")[4].verdict == "undecided"


def test_figures_have_as_many_rows_as_there_are_images(results):
    for first in (0, 3):
        labels, z = np.repeat(np.arange(first, first + 3), 2), np.zeros((6, 4), np.float32)
        for source in ("teacher", "dw"):
            folder = results / "previews" / source / f"{first:03d}-{first + 2:03d}"
            write_shard(
                folder, np.zeros((6, 8, 8, 3), np.uint8), labels, z, source=source, provenance={}
            )
    stores = [manifests(results, source) for source in ("teacher", "dw")]
    assert grids.images_per_class(*stores) == 2
    for name, rows, columns in (("fig1", 4, 6), ("fig11", 2, 3)):
        call(name, results)
        assert not shown_tiles(results / "out" / f"{name}.png", rows, columns).any()


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig7", "fig8", "fig9", "fig11"])
def test_figures_have_equal_bytes_in_two_runs(results, name):
    for again in ("a", "b"):
        call(name, results, results / again / name)
    for suffix in ("png", "pdf"):
        first, second = ((results / again / f"{name}.{suffix}").read_bytes() for again in "ab")
        assert first == second
        assert first.startswith(b"\x89PNG" if suffix == "png" else b"%PDF-")
    assert b"CreationDate" not in first
    assert sorted(path.name for path in (results / "a").iterdir()) == [f"{name}.pdf", f"{name}.png"]


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig7", "fig8", "fig9", "fig11"])
def test_a_pdf_fits_a_page_and_holds_its_fonts(results, name):
    call(name, results)
    page = read_page(results / "out" / f"{name}.pdf")
    assert page.width <= (3.3 if name == "fig8" else 6.9) * 72
    assert page.embedded and all(page.embedded.values())
    assert page.sizes and min(page.sizes.values()) >= 6.5
    assert not page.smoothed and len(page.images) == (name not in ("fig8", "fig9"))


def test_fig7_shows_the_same_random_choice_of_both_models(results):
    chosen = call("fig7", results)
    rng = stream(7, "analysis/fig7")
    assert list(chosen) == rng.choice(6, 6, replace=False).tolist()
    assert list(chosen.values()) == [rng.choice(5, 5, replace=False).tolist() for _ in chosen]
    stores = [images_by_class(results, source) for source in ("dw", "scratch")]
    expected = [
        [store[label][i] for store in stores for i in indices] for label, indices in chosen.items()
    ]
    shown = shown_tiles(results / "out" / "fig7.png", 6, 10, blocks=2, group=6)
    np.testing.assert_array_equal(shown, enlarged(np.array(expected), 16))
    text = read_page(results / "out" / "fig7.pdf").sizes
    titles = [piece for piece in text if piece in ("TinyGAN-dw", "from scratch")]
    assert titles == ["TinyGAN-dw", "from scratch"] and any("same z" in piece for piece in text)


def images_by_class(results: Path, source: str) -> dict[int, np.ndarray]:
    shards = (results / "previews" / source / name for name in ("000-002", "003-005"))
    images = np.concatenate([np.load(shard / "images.npy") for shard in shards])
    return dict(enumerate(images.reshape(6, 5, 8, 8, 3)))


def test_fig7_prefers_sngan_whose_images_have_no_z(results):
    for first in (0, 3):
        images = np.full((9, 8, 8, 3), 30 * (first + 1), np.uint8)
        labels = np.repeat(np.arange(first, first + 3), 3)
        folder = results / "previews" / "sngan" / f"{first:03d}-{first + 2:03d}"
        write_shard(folder, images, labels, source="sngan", provenance={})
    config = yaml.safe_load((results / "config.yaml").read_text())
    inputs = {name: manifests(results, source) for name, source in BLOCKS.items()}
    chosen = make["fig7"](script.Run(config, inputs, results / "out" / "fig7"))
    assert {len(indices) for indices in chosen.values()} == {3}  # as many as the baseline has
    shown = shown_tiles(results / "out" / "fig7.png", 6, 6, blocks=2, group=6)
    for row, label in zip(shown, chosen, strict=True):
        assert (row[3:] == (30 if label < 3 else 120)).all()
    text = read_page(results / "out" / "fig7.pdf").sizes
    assert "SNGAN-projection" in text and not any("same z" in piece for piece in text)


BLOCKS = {"student": "dw", "baseline": "sngan"}


def test_fig7_refuses_students_with_different_z(results):
    folder = results / "previews" / "scratch" / "000-002"
    shard = (np.zeros((15, 8, 8, 3), np.uint8), np.repeat(np.arange(3), 5), np.zeros((15, 4)))
    write_shard(folder, *shard, source="scratch", provenance={})
    with pytest.raises(ValueError, match="the images of dw and scratch have different z"):
        call("fig7", results)


def test_a_large_run_shows_some_of_its_classes_and_images():
    chosen = fig7.draw(0, 398, 5000)
    assert len(chosen) == 6 and {len(set(images)) for images in chosen.values()} == {5}
    assert max(chosen) > 100 and max(map(max, chosen.values())) > 1000
    assert fig7.draw(1, 398, 5000) != chosen == fig7.draw(0, 398, 5000)
    assert {len(images) for images in fig7.draw(0, 2, 3).values()} == {3}


@pytest.fixture
def drawn(monkeypatch):
    """The figures that Figures 8 and 9 would save."""
    figures = []
    for name in ("fig8", "fig9"):
        monkeypatch.setattr(sys.modules[name], "save", lambda figure, out: figures.append(figure))
    return figures


def test_fig8_shows_the_learning_curve_of_one_seed(results, drawn):
    call("fig8", results)
    (axes,) = drawn[0].axes
    assert [line.get_label() for line in axes.lines] == ["distilled (TinyGAN-dw)", "from scratch"]
    assert [line.get_ydata().tolist() for line in axes.lines] == [
        [90, 40, 24, 23.3],
        [80, 120, 50, 61],
    ]
    assert all(line.get_xdata().tolist() == [10, 20, 30, 40] for line in axes.lines)
    # Not by colour alone.
    assert len({line.get_marker() for line in axes.lines}) == 2
    assert len({line.get_linestyle() for line in axes.lines}) == 2
    assert not axes.collections and axes.get_yscale() == "log"
    assert axes.get_xlim()[0] == 0 and axes.get_xlim()[1] > 40
    low, high = axes.get_ylim()
    assert low < 23.3 and high > 120
    assert axes.get_ylabel() == "FID (efficientnet_lite0, 64 px)"
    assert drawn[0].legends[0].get_title().get_text() == ""


def test_fig8_of_values_near_each_other_starts_at_zero(results, drawn):
    for variant in ("dw", "scratch"):
        path = results / "scores" / "curve" / f"{variant}.csv"
        pd.read_csv(path).assign(fid=[50, 45, 40, 80]).to_csv(path, index=False)
    call("fig8", results)
    (axes,) = drawn[0].axes
    assert axes.get_yscale() == "linear" and axes.get_ylim() == (0, 84)


def add_seeds(results: Path, names: Sequence[str], folder: str, column: str) -> list[Path]:
    """Write the files of seeds 1 and 2, with 6 more and 3 less than those of seed 0; return all."""
    files = []
    for name in names:
        first = results / folder / f"{name}.csv"
        files.append(first)
        for seed, more in ((1, 6), (2, -3)):
            table = pd.read_csv(first)
            table[column] += more
            path = results / folder / name / f"seed{seed}.csv"
            path.parent.mkdir(exist_ok=True)
            table.to_csv(path, index=False)
            files.append(path)
    return files


def test_fig8_shows_mean_and_range_of_several_seeds(results, drawn):
    curves = add_seeds(results, ["dw", "scratch"], "scores/curve", "fid")
    run_with(results, "fig8", curves=curves)
    (axes,) = drawn[0].axes
    assert axes.lines[0].get_ydata() == pytest.approx([91, 41, 25, 24.3])
    (band, _) = axes.collections
    edges = band.get_paths()[0].vertices
    for step, fid in zip([10, 20, 30, 40], [90, 40, 24, 23.3], strict=True):
        at = edges[edges[:, 0] == step, 1]
        assert (min(at), max(at)) == pytest.approx((fid - 3, fid + 6))
    title = drawn[0].legends[0].get_title().get_text()
    assert title == "mean of 3 seeds; band: lowest to highest"
    pd.read_csv(curves[1]).head(3).to_csv(curves[1], index=False)
    with pytest.raises(ValueError, match="learning curves of dw have different steps: seeds 0, 1"):
        run_with(results, "fig8", curves=curves)


def run_with(results: Path, name: str, **inputs: list[Path]):
    """Call a script with these files, and the scores of the first seed."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    scores = sorted((results / "scores").glob("*.json"))
    return make[name](script.Run(config, {"scores": scores, **inputs}, results / "out" / name))


def test_fig9_shows_means_over_seeds_and_the_interval_of_r(results, drawn):
    files = add_seeds(results, ["dw", "std"], "intra_fid", "intra_fid")
    teacher = results / "intra_fid" / "teacher.csv"
    found = run_with(results, "fig9", intra=[teacher, *files])
    x = pd.read_csv(teacher).intra_fid.to_numpy()
    for axes, student in zip(drawn[0].axes, ("dw", "std"), strict=True):
        y = pd.read_csv(results / "intra_fid" / f"{student}.csv").intra_fid.to_numpy() + 1
        dots = axes.collections[0].get_offsets()
        np.testing.assert_allclose(dots, np.column_stack([x, y]))
        expected = measures.bootstrap_correlation(x, y, stream(7, "analysis/bootstrap"))
        assert found[student] == pytest.approx(expected) and expected[1] < expected[2]
        r, low, high = expected
        shown = f"TinyGAN-{student}: r = {r:.2f} [{low:.2f}, {high:.2f}], paper 0.{PAPER[student]}"
        assert axes.get_title() == shown
        for limits, values in ((axes.get_xlim(), x), (axes.get_ylim(), y)):
            assert limits[0] < min(values) and max(values) < limits[1]
    one, other = drawn[0].axes
    assert (one.get_xlim(), one.get_ylim()) == (other.get_xlim(), other.get_ylim())
    assert ", mean of 3 seeds\n" in one.get_ylabel()
    assert one.collections[0].get_paths()[0] != other.collections[0].get_paths()[0]  # the markers
    note = drawn[0].legends[0].get_title().get_text()
    assert note == "In brackets: 95 % interval of r over the 6 classes (bootstrap)."


PAPER = {"dw": 54, "std": 64}


def test_figures_of_other_seeds_show_the_images_of_the_first(tmp_path):
    results = write_results(tmp_path / "results", seeds=[2, 1])
    for name in ("fig3", "fig7", "fig8", "fig9"):
        call(name, results)
        assert (results / "out" / f"{name}.pdf").is_file()
    call("fig1", results)
    images = pairs(results, "dw/seed2", range(6), 4)
    shown = shown_tiles(results / "out" / "fig1.png", 8, 6)
    np.testing.assert_array_equal(shown, enlarged(images, 16))
    scores = pd.read_csv(results / "intra_fid" / "dw" / "seed2.csv").intra_fid
    assert call("fig11", results) == list(scores.nlargest(3).index)


def many_classes(results: Path, count: int) -> np.ndarray:
    """Give the run so many classes; return the teacher's scores and those of dw, [2, count]."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    names = [f"class {label}" for label in range(count)]
    (results / "config.yaml").write_text(yaml.safe_dump(config | {"classes": names}))
    rng = np.random.default_rng(0)
    x = rng.gamma(6, 10, count)
    scores = {"teacher": x, "dw": x + rng.normal(0, 15, count), "std": x + rng.normal(0, 9, count)}
    for source, values in scores.items():
        table = pd.DataFrame({"class": range(count), "name": names, "intra_fid": values})
        table.to_csv(results / "intra_fid" / f"{source}.csv", index=False)
    return np.array([scores["teacher"], scores["dw"]])


@pytest.mark.parametrize("count", [6, 20, 398])
def test_names_in_fig9_cover_no_dot_and_no_name(results, drawn, count):
    many_classes(results, count)
    call("fig9", results)
    figure = drawn[0]
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        dots = axes.transData.transform(axes.collections[0].get_offsets())
        assert len(boxes) == (count if count <= 20 else 6)
        for i, box in enumerate(boxes):
            inside = (dots > box.min - 4) & (dots < box.max + 4)
            assert not inside.all(axis=1).any()
            assert not any(map(box.overlaps, boxes[:i]))
            assert axes.get_window_extent(renderer).contains(*box.min)
            assert axes.get_window_extent(renderer).contains(*box.max)


def test_fig9_of_many_classes_names_those_farthest_from_the_regression(results, drawn):
    x, y = many_classes(results, 60)
    call("fig9", results)
    rest = y - np.polynomial.Polynomial.fit(x, y, 1)(x)
    farthest = {f"class {label}" for label in np.argsort(np.abs(rest))[-6:]}
    assert {text.get_text() for text in drawn[0].axes[0].texts} == farthest
    note = drawn[0].legends[0].get_title().get_text()
    assert note.endswith("Named: the 6 classes farthest from the regression.")
