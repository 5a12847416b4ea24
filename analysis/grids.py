"""Grids of teacher and student images for the same inputs."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from style import DPI, style
from text import drawn
from tinygan.data.shards import Shard, open_store

_TILE = 128  # px of a tile on the page, about: the images are enlarged by a whole factor
_LINE = 24  # px of a line of text
_LEFT = 192  # px of the row labels


def spread_classes(count: int, most: int = 10) -> list[int]:
    """Return at most `most` class indices of 0..count-1, evenly spread, the ends included."""
    return [int(c) for c in np.linspace(0, count - 1, min(most, count)).round()]


def row_pairs(teacher: Sequence[Path], student: Sequence[Path], most: int) -> int:
    """Return how many images every class has of the teacher and of the student, at most `most`."""
    shards = [shard for files in (teacher, student) for shard in _open(files)]
    return min(most, *(n for shard in shards for n in shard.manifest["classes"].values()))


def pairs(
    teacher: Sequence[Path],
    student: Sequence[Path],
    classes: Sequence[int],
    count: int,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the first `count` images of each class, of the teacher and of the student.

    Args:
        teacher: files of the teacher's shards, of which the manifests are read, and the arrays
            beside them.
        student: those of the student's shards.
        classes: class indices.
        count: images per class.
        names: the names of all classes, in the order of the class index, by which they are found
            in the shards; None: the shards' labels are the class indices.

    Returns:
        uint8 [2 * count, len(classes), H, W, 3]: even rows (from 0) are the teacher's, each odd
        row holds the student's images for the same z and y.

    Raises:
        FileNotFoundError: images are missing.
        ValueError: a class has too few images, the shards do not have these classes, or the two
            were not made from the same z.
    """
    shards = [_open(files, names) for files in (teacher, student)]
    columns = []
    for label in classes:
        (first, first_z), (second, second_z) = (_first(store, label, count) for store in shards)
        if not np.array_equal(first_z, second_z):
            sources = " and ".join(store[0].manifest["source"] for store in shards)
            raise ValueError(
                f"class {label}: the images of {sources} have different z; "
                "sample them again from the same evaluation split"
            )
        columns.append(np.stack([first, second], axis=1).reshape(-1, *first.shape[1:]))
    return np.stack(columns, axis=1)


def _open(files: Sequence[Path], names: Sequence[str] | None = None) -> list[Shard]:
    manifests = sorted(path for path in files if path.name == "manifest.json")
    missing = [path for path in manifests if not path.is_file()] if manifests else files
    if missing:
        raise FileNotFoundError(
            f"{missing[0]} is missing or no manifest.json; a student's images are deleted after "
            "use: make the figure by its target, e.g. snakemake --cores 2 fig1"
        )
    return open_store(manifests, names, what=str(manifests[0].parents[1]), verify=True)


def _first(store: Sequence[Shard], label: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    for shard in store:
        rows = np.flatnonzero(shard.labels == label)[:count]
        if shard.z is not None and len(rows) == count:
            return shard.images[rows], shard.z[rows]
    source = store[0].manifest["source"]
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
