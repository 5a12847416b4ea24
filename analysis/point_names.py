"""Names beside the points of a plot, which cover no point, no line and no other name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from style import SMALL
from text import drawn

# In points on paper.
_REACH = (5, 7, 10, 14, 19, 25, 32, 40, 50, 62, 76, 92, 110)  # from a dot to its name
_JOINED = 8  # from here on a thin line joins the two
_DOT = 3  # half a dot, and a little space
_NEAR = 2  # how near such a line comes to another dot


@dataclass(frozen=True)
class _Plot:
    """What names may not cover, in pixels."""

    frame: Bbox
    dots: np.ndarray  # [N, 2]
    lines: np.ndarray  # [M, 2]
    point: float  # px per point


@dataclass(frozen=True)
class _Place:
    box: Bbox
    end: np.ndarray  # the point of the box next to the dot
    leader: np.ndarray  # [100, 2], from there to the dot


def name_points(
    axes: Axes, points: np.ndarray, names: Sequence[str], lines: np.ndarray, chosen: Sequence[int]
) -> dict[int, Bbox]:
    """Write names beside their dots, each at the nearest free place.

    A name without a free place near its dot is left out.

    Args:
        axes: where; its limits are final, and its figure has been drawn once.
        points: [N, 2], in data units: all dots.
        names: N names.
        lines: [M, 2], in data units: points close together on the lines that are drawn.
        chosen: which of the dots are named, the most important first.

    Returns:
        The places of the names, in pixels, by dot.
    """
    renderer = axes.figure.canvas.get_renderer()
    dots, strokes = axes.transData.transform(points), axes.transData.transform(lines)
    plot = _Plot(axes.get_window_extent(renderer), dots, strokes, axes.figure.dpi / 72)
    texts = {
        int(i): axes.text(0, 0, drawn(names[i]), size=SMALL, transform=None, va="bottom")
        for i in chosen
    }
    sizes = {i: text.get_window_extent(renderer).size for i, text in texts.items()}
    places = _all_places(plot, sizes)
    for index, text in texts.items():
        if index not in places:
            text.remove()
            continue
        place = places[index]
        text.set_position(place.box.min)
        if np.hypot(*(place.end - dots[index])) > _JOINED * plot.point:
            ends = axes.transData.inverted().transform([place.end, dots[index]])
            axes.plot(*ends.T, color="0.5", linewidth=0.5, zorder=0.5)
    return {index: place.box for index, place in places.items()}


def _all_places(plot: _Plot, sizes: dict[int, np.ndarray]) -> dict[int, _Place]:
    """Return the places of names of these sizes, by dot; those left over try again first."""
    order, best = list(sizes), {}
    for _ in sizes:
        found: dict[int, _Place] = {}
        for index in order:
            free = (
                place
                for place in _places(plot, index, sizes[index])
                if _is_free(plot, index, place, [other.box for other in found.values()])
            )
            if (place := next(free, None)) is not None:
                found[index] = place
        if len(found) > len(best):
            best = found
        if len(found) == len(sizes):
            break
        order.sort(key=found.__contains__)
    return best


def _places(plot: _Plot, index: int, size: np.ndarray) -> Iterator[_Place]:
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    # To the right or left is easier to read than above or below.
    angles = sorted(angles, key=lambda angle: (-abs(np.cos(angle)).round(2), angle))
    for reach in _REACH:
        for angle in angles:
            way = np.array([np.cos(angle), np.sin(angle)])
            dot = plot.dots[index]
            end = dot + reach * plot.point * way
            corner = end - size * (1 - way) / 2
            leader = np.linspace(end, dot + _DOT * plot.point * way, 100)
            yield _Place(Bbox([corner, corner + size]), end, leader)


def _is_free(plot: _Plot, index: int, place: _Place, taken: Sequence[Bbox]) -> bool:
    box, others = place.box, np.delete(plot.dots, index, axis=0)
    return (
        plot.frame.contains(*box.min)
        and plot.frame.contains(*box.max)
        and not _covers(box, plot.dots, _DOT * plot.point)
        and not _covers(box, plot.lines, plot.point)
        and not any(map(box.overlaps, taken))
        and not any(_covers(each, place.leader, plot.point) for each in taken)
        and np.min(_distances(place.leader, others), initial=np.inf) > _NEAR * plot.point
    )


def _covers(box: Bbox, points: np.ndarray, pad: float) -> bool:
    return bool(np.any(np.all((points > box.min - pad) & (points < box.max + pad), axis=1)))


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))
