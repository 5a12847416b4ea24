"""Figure 9: intra-FID of the teacher against that of the students; each dot is a class."""

from collections.abc import Sequence
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from measures import MIN_CLASSES, correlation
from paper import NAMES, PAPER_R, compares
from results import extractor_label, read_intra_pair, read_scores
from script import Run, main
from style import save, style
from text import drawn

_ALIGN = {-1: "right", 0: "center", 1: "left"}
MOST_NAMES = 20  # with more classes the dots are not named


def fig9(run: Run) -> dict[str, float | None]:
    """Draw Figure 9; return Pearson's r of each student, None where there are too few classes."""
    palette = style(*run.config["classes"])
    label = extractor_label(read_scores(run.inputs["scores"], ["teacher", *PAPER_R]))
    figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.8), sharex=True, sharey=True)
    found = {}
    for axes, student, colour in zip(panels, PAPER_R, palette, strict=False):
        x, y, names = read_intra_pair(run.inputs["intra"], student)
        found[student] = correlation(x, y)
        axes.scatter(x, y, s=18, color=colour, edgecolor="white", linewidth=0.4)
        if found[student] is not None:
            span = np.array([x.min(), x.max()])
            axes.plot(span, _fit(x, y)(span), color=colour, label="regression")
            note = f"r = {found[student]:.2f}"
            note += f" (paper: {PAPER_R[student]:.2f})" if compares(run.config) else ""
        elif len(x) < MIN_CLASSES:
            note = f"r needs at least {MIN_CLASSES} classes"
        else:
            note = "no r, scores do not differ"
        axes.axline((x.mean(), x.mean()), slope=1, color="0.4", linestyle="--", label="identity")
        axes.set_title(f"{NAMES[student]}: {note}")
        axes.set_xlabel("intra-FID of the teacher")
        axes.margins(0.12)
    panels[0].set_ylabel(f"intra-FID of the student\n({label})")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="lower center", ncol=2, frameon=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.draw_without_rendering()  # settles the axes, so that text can be placed in pixels
    for axes, student in zip(panels, PAPER_R, strict=True):
        x, y, names = read_intra_pair(run.inputs["intra"], student)
        if len(names) <= MOST_NAMES:
            ends = np.linspace(*axes.get_xlim(), 200)
            lines = [np.column_stack([ends, ends])]
            if found[student] is not None:
                lines.append(np.column_stack([ends, _fit(x, y)(ends)]))
            _name_points(axes, np.column_stack([x, y]), names, np.concatenate(lines))
    save(figure, run.out)
    return found


def _fit(x: np.ndarray, y: np.ndarray) -> np.poly1d:
    return np.poly1d(np.polyfit(x, y, 1))


def _name_points(axes: Axes, points: np.ndarray, names: Sequence[str], lines: np.ndarray) -> None:
    """Write each name beside its dot, at the nearest place free of names, dots and lines.

    Args:
        axes: where.
        points: [N, 2], in data units.
        names: N names.
        lines: [M, 2], points on the lines that are drawn.
    """
    renderer = axes.figure.canvas.get_renderer()
    dots, strokes = axes.transData.transform(points), axes.transData.transform(lines)
    taken: list[Bbox] = []
    frame = axes.get_window_extent(renderer)
    reach = range(-16, 17, 4)  # points; the nearest place is tried first
    places = sorted((p for p in product(reach, reach) if any(p)), key=lambda p: (np.hypot(*p), p))
    for point, name in zip(points, names, strict=True):
        text = axes.annotate(
            drawn(name), point, xytext=(0, 0), textcoords="offset points", size=6.5
        )
        for place in [*places, (4, 0)]:  # where none is free: at the right
            text.set(position=place, ha=_ALIGN[np.sign(place[0])], va="center")
            box = text.get_window_extent(renderer)
            inside = frame.contains(*box.min) and frame.contains(*box.max)
            hidden = _covers(box, dots, 5) or _covers(box, strokes, 1)
            if inside and not hidden and not any(map(box.overlaps, taken)):
                break
        taken.append(text.get_window_extent(renderer))


def _covers(box: Bbox, points: np.ndarray, pad: float) -> bool:
    return bool(np.any(np.all((points > box.min - pad) & (points < box.max + pad), axis=1)))


if __name__ == "__main__":
    main(
        fig9,
        __doc__,
        scores="scores/{teacher,dw,std}.json",
        intra="intra_fid/{teacher,dw,std}.csv",
    )
