"""Grids of images of several models for the same inputs."""

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from style import DPI, PAGE, SMALL, TEXT, style
from text import drawn
from tinygan.data.shards import Shard, open_store

_TILE = 128  # px of a tile, about: the images are enlarged by a whole factor
_GAP = 4  # px between tiles
_LEFT = 154  # px of the row labels
_LINE = 25  # px of a line of text


def spread_classes(count: int, most: int = 10) -> list[int]:
    """Return at most `most` class indices of 0..count-1, evenly spread, the ends included."""
    return [int(c) for c in np.linspace(0, count - 1, min(most, count)).round()]


def images_per_class(*stores: Sequence[Path]) -> int:
    """Return how many images every class has in each of these stores, given by their files."""
    shards = [shard for files in stores for shard in _open(files)]
    return min(n for shard in shards for n in shard.manifest["classes"].values())


def source_of(files: Sequence[Path]) -> str:
    """Return the name of the variant or source that made the images of a store."""
    return str(_open(files)[0].manifest["source"])


def pairs(
    teacher: Sequence[Path],
    student: Sequence[Path],
    classes: Sequence[int],
    count: int,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the first `count` images of each class, of the teacher and of the student.

    Args:
        teacher: files of the teacher's shards; see `same_inputs`.
        student: those of the student's shards.
        classes: class indices.
        count: images per class.
        names: see `same_inputs`.

    Returns:
        uint8 [2 * count, len(classes), H, W, 3]: even rows (from 0) are the teacher's, each odd
        row holds the student's images for the same z and y.
    """
    stores = same_inputs([teacher, student], {label: range(count) for label in classes}, names)
    rows = np.stack(stores).transpose(2, 0, 1, 3, 4, 5)  # [count, 2, classes, H, W, 3]
    return rows.reshape(2 * count, *rows.shape[2:])


def same_inputs(
    stores: Sequence[Sequence[Path]],
    chosen: Mapping[int, Sequence[int]],
    names: Sequence[str] | None = None,
) -> list[np.ndarray]:
    """Return the same choice of images from several stores.

    Args:
        stores: for each the files of its shards, of which the manifests are read, and the arrays
            beside them.
        chosen: by class index, which images of the class: equally many of each.
        names: the names of all classes, in the order of the class index, by which they are found
            in the shards; None: the shards' labels are the class indices.

    Returns:
        For each store uint8 [len(chosen), images per class, H, W, 3].

    Raises:
        FileNotFoundError: images are missing.
        ValueError: a class has too few images, the shards do not have these classes, or two stores
            with z were not made from the same z.
    """
    opened = [_open(files, names) for files in stores]
    found: list[list[np.ndarray]] = [[] for _ in opened]
    for label, indices in chosen.items():
        latents: list[tuple[str, np.ndarray]] = []
        for store, images in zip(opened, found, strict=True):
            shard, rows = _rows(store, label, indices)
            images.append(shard.images[rows])
            if shard.z is not None:
                latents.append((store[0].manifest["source"], shard.z[rows]))
        if not all(np.array_equal(z, latents[0][1]) for _, z in latents):
            sources = " and ".join(source for source, _ in latents)
            raise ValueError(
                f"class {label}: the images of {sources} have different z; "
                "sample them again from the same evaluation split"
            )
    return [np.stack(images) for images in found]


def _open(files: Sequence[Path], names: Sequence[str] | None = None) -> list[Shard]:
    manifests = sorted(path for path in files if path.name == "manifest.json")
    missing = [path for path in manifests if not path.is_file()] if manifests else files
    if missing:
        raise FileNotFoundError(
            f"{missing[0]} is missing or no manifest.json; make the figure by its target, e.g. "
            "snakemake --cores 2 fig1, which makes the previews that it shows"
        )
    return open_store(manifests, names, what=str(manifests[0].parents[1]), verify=True)


def _rows(store: Sequence[Shard], label: int, indices: Sequence[int]) -> tuple[Shard, np.ndarray]:
    """Return the shard of a class and the rows of these images of the class."""
    for shard in store:
        rows = np.flatnonzero(shard.labels == label)
        if len(rows):
            break
    if max(indices) >= len(rows):
        source = store[0].manifest["source"]
        raise ValueError(
            f"the images of {source} lack image {max(indices)} of class {label}, "
            f"of which there are {len(rows)}"
        )
    return shard, rows[list(indices)]


def image_grid(
    images: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str] = (),
    *,
    row_groups: Sequence[int] | None = None,
    blocks: Mapping[str, int] | None = None,
    ends: Sequence[str] = (),
    note: str = "",
) -> Figure:
    """Draw a tight grid of images with row labels and headings, at most ten wide on a page.

    Args:
        images: uint8 [R, C, H, W, 3].
        rows: R labels, at the left; "" for none.
        columns: C headings, or no headings.
        row_groups: how many rows belong together, from the top; groups are set apart. None: pairs.
        blocks: how many columns belong together, from the left, by the title above them; blocks
            are set apart.
        ends: R labels at the right, which take the width of a tile, or none.
        note: text below the grid.

    Returns:
        A figure in which every image pixel is a whole number of pixels at the figure's resolution.
    """
    style(*rows, *columns, *(blocks or {}), *ends, note)
    r, c, h, w, _ = images.shape
    scale = max(1, round(_TILE / max(h, w)))
    images = images.repeat(scale, axis=2).repeat(scale, axis=3)
    h, w = h * scale, w * scale
    # Other tiles than those of _TILE px have the same size on paper, at another resolution.
    unit = max(h, w) / _TILE
    gap, left, line = (int(unit * length) for length in (_GAP, _LEFT, _LINE))
    tops = _starts(r, h, gap, row_groups or [2] * (r // 2) + [1] * (r % 2))
    lefts = _starts(c, w, gap, list((blocks or {"": c}).values()))
    canvas = _canvas(images, tops, lefts)

    figure = plt.figure(figsize=(PAGE, PAGE), dpi=DPI * unit)
    labels = [_wrapped(figure, label, (left - 3 * gap) / unit, TEXT) for label in rows]
    heads = [_wrapped(figure, head, w / unit, SMALL) for head in columns]
    right = [_wrapped(figure, end, w / unit, TEXT) for end in ends]
    width = left + canvas.shape[1] + (w + 3 * gap if ends else 2 * gap)
    note = _wrapped(figure, note, (width - 4 * gap) / unit, SMALL)
    head_lines, note_lines = (max(map(_lines, texts), default=0) for texts in (heads, [note]))
    head_space = head_lines * line + gap if heads else 0
    above = head_space + (line + gap if blocks else 0) + 2 * gap
    below = note_lines * line + 2 * gap
    axes = _show(figure, canvas, (left, below), (width, above + canvas.shape[0] + below))

    for x, head in zip(lefts, heads, strict=False):
        axes.text(x + w / 2, -gap, head, ha="center", va="bottom", size=SMALL)
    first = 0
    for title, count in (blocks or {}).items():
        middle = (lefts[first] + lefts[first + count - 1] + w) / 2
        axes.text(middle, -head_space - gap, drawn(title), ha="center", va="bottom", size=TEXT)
        first += count
    for top, label in zip(tops, labels, strict=True):
        axes.text(-2 * gap, top + h / 2, label, ha="right", va="center", size=TEXT)
    for top, end in zip(tops, right, strict=False):
        axes.text(canvas.shape[1] + 2 * gap, top + h / 2, end, ha="left", va="center", size=TEXT)
    height = above + canvas.shape[0] + below
    figure.text(2 * gap / width, gap / height, note, ha="left", va="bottom", size=SMALL)
    return figure


def _canvas(images: np.ndarray, tops: Sequence[int], lefts: Sequence[int]) -> np.ndarray:
    """Return images [R, C, H, W, 3] on white, each with its corner at (tops[i], lefts[j])."""
    h, w = images.shape[2:4]
    canvas = np.full((tops[-1] + h, lefts[-1] + w, 3), 255, dtype=np.uint8)
    for i, top in enumerate(tops):
        for j, x in enumerate(lefts):
            canvas[top : top + h, x : x + w] = images[i, j]
    return canvas


def _show(
    figure: Figure, canvas: np.ndarray, corner: tuple[int, int], size: tuple[int, int]
) -> Axes:
    """Show an image pixel by pixel in a figure of some size; return its axes.

    Args:
        figure: is resized.
        canvas: uint8 [H, W, 3].
        corner: pixels left of it and below it.
        size: width and height of the figure in pixels.
    """
    (left, below), (width, height) = corner, size
    # A fraction of a pixel more, which is cut off: the product with the resolution may round down.
    figure.set_size_inches((width + 0.01) / figure.dpi, (height + 0.01) / figure.dpi)
    box = (left / width, below / height, canvas.shape[1] / width, canvas.shape[0] / height)
    axes = figure.add_axes(box)
    axes.imshow(canvas, interpolation="none", aspect="auto")
    axes.set_axis_off()
    return axes


def _starts(count: int, size: int, gap: int, groups: Sequence[int]) -> list[int]:
    """Return where each of `count` tiles of `size` px starts, with more space between groups."""
    if sum(groups) != count:
        raise ValueError(f"groups of {', '.join(map(str, groups))} are not {count} rows or columns")
    group = np.repeat(np.arange(len(groups)), groups)
    return [int(i * (size + gap) + 2 * gap * group[i]) for i in range(count)]


def _wrapped(figure: Figure, text: str, width: float, size: float) -> str:
    """Return text for a figure in lines of at most `width`, in px beside tiles of _TILE px."""
    written = figure.text(0, 0, "", size=size)
    renderer = figure.canvas.get_renderer()
    parts = lines = drawn(text).split("\n")
    for characters in range(max(map(len, lines)), 0, -1):
        parts = [part for line in lines for part in _broken(line, characters)]
        written.set_text("\n".join(parts))
        if written.get_window_extent(renderer).width * DPI / figure.dpi <= width:
            break
    written.remove()
    return "\n".join(parts)


def _broken(line: str, characters: int) -> list[str]:
    words = re.sub(r"\S+", lambda word: _split(word[0], characters), line)
    return textwrap.wrap(words, characters) or [""]


def _split(word: str, characters: int) -> str:
    """Return a word in parts of about equal length, with hyphens, if it is longer than a line."""
    if "-" in word or len(word) <= characters or characters < 3:
        return word
    size = math.ceil(len(word) / math.ceil(len(word) / (characters - 1)))
    return "- ".join(word[i : i + size] for i in range(0, len(word), size))


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0
