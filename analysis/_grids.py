"""Grids of teacher and student images made from the same inputs: Figures 1, 3 and 11."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _common import DPI, style
from _text import drawn
from matplotlib.figure import Figure

from tinygan.data.shards import Shard, open_store

_TILE = 128  # px of a tile on the page, about: the images are enlarged by a whole factor
_LINE = 24  # px of a line of text
_LEFT = 192  # px of the row labels


def spread_classes(count: int, most: int = 10) -> list[int]:
    """Return at most `most` class indices of 0..count-1, evenly spread, the ends included."""
    return [int(c) for c in np.linspace(0, count - 1, min(most, count)).round()]


def row_pairs(results: Path, student: str, most: int) -> int:
    """Return how many images every class has of the teacher and of the student, at most `most`."""
    shards = [shard for source in ("teacher", student) for shard in _open(results, source)]
    return min(most, *(n for shard in shards for n in shard.manifest["classes"].values()))


def pairs(
    results: Path,
    student: str,
    classes: Sequence[int],
    count: int,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the first `count` images of each class, of the teacher and of the student.

    Args:
        results: the folder of the run's results.
        student: the variant's name.
        classes: class indices.
        count: images of each class.
        names: the names of all classes, in the order of the class index, by which they are found
            in the two stores; None: the stores' labels are the class indices.

    Returns:
        uint8 [2 * count, len(classes), H, W, 3]: even rows (from 0) are the teacher's, each odd
        row holds the student's images for the same z and y.

    Raises:
        FileNotFoundError: images are missing.
        ValueError: a class has too few images, the stores have not these classes, or the two were
            not made from the same z.
    """
    stores = {source: _open(results, source, names) for source in ("teacher", student)}
    columns = []
    for label in classes:
        teacher, teacher_z = _first(stores["teacher"], "teacher", label, count)
        images, z = _first(stores[student], student, label, count)
        if not np.array_equal(teacher_z, z):
            raise ValueError(
                f"class {label}: the images of teacher and {student} have different z; "
                "sample them again from the same evaluation split"
            )
        columns.append(np.stack([teacher, images], axis=1).reshape(-1, *teacher.shape[1:]))
    return np.stack(columns, axis=1)


def _open(results: Path, source: str, names: Sequence[str] | None = None) -> list[Shard]:
    manifests = sorted((results / "images" / source).glob("*/manifest.json"))
    if not manifests:
        raise FileNotFoundError(
            f"{results}/images/{source} has no images; the figure's own target makes them: "
            f"snakemake --cores 2 {results}/figures/fig1.png (or fig3, fig11)"
        )
    return open_store(manifests, names, what=f"{results}/images/{source}", verify=True)


def _first(
    store: Sequence[Shard], source: str, label: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    for shard in store:
        rows = np.flatnonzero(shard.labels == label)[:count]
        if shard.z is not None and len(rows) == count:
            return shard.images[rows], shard.z[rows]
    raise ValueError(f"the images of {source} lack {count} samples with z of class {label}")


def image_grid(
    images: np.ndarray, rows: Sequence[str], columns: Sequence[str], corner: str = ""
) -> Figure:
    """Draw a tight grid of images, row pairs set apart, with row labels and column headings.

    Args:
        images: uint8 [R, C, H, W, 3].
        rows: R labels, at the left.
        columns: C headings; long ones are wrapped.
        corner: text above the row labels, beside the headings.

    Returns:
        A figure in which every image pixel is a whole number of pixels at DPI.
    """
    style(*rows, *columns, corner)
    r, c, h, w, _ = images.shape
    scale = max(1, round(_TILE / max(h, w)))
    images = images.repeat(scale, axis=2).repeat(scale, axis=3)
    h, w, gap = h * scale, w * scale, 4
    tops = [i * (h + gap) + i // 2 * 2 * gap for i in range(r)]
    canvas = np.full((tops[-1] + h, c * (w + gap) - gap, 3), 255, dtype=np.uint8)
    for i, top in enumerate(tops):
        for j in range(c):
            canvas[top : top + h, j * (w + gap) : j * (w + gap) + w] = images[i, j]
    heads = [
        "\n".join(
            s
            for line in head.split("\n")
            for s in textwrap.wrap(drawn(line), 12, break_long_words=False)
        )
        for head in columns
    ]
    above = _LINE * max(head.count("\n") + 1 for head in [*heads, corner]) + 4 * gap
    width, height = _LEFT + canvas.shape[1] + 2 * gap, above + canvas.shape[0] + 2 * gap
    figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    box = (_LEFT / width, 2 * gap / height, canvas.shape[1] / width, canvas.shape[0] / height)
    axes = figure.add_axes(box)
    axes.imshow(canvas, interpolation="none", aspect="auto")
    axes.set_axis_off()
    for j, head in enumerate(heads):
        axes.text(j * (w + gap) + w / 2, -2 * gap, head, ha="center", va="bottom", size=6.5)
    for top, label in zip(tops, rows, strict=True):
        axes.text(-2 * gap, top + h / 2, drawn(label), ha="right", va="center", size=7)
    axes.text(-2 * gap, -2 * gap, corner, ha="right", va="bottom", size=7)
    return figure
