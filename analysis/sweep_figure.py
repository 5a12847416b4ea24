"""The figure of the sweep: FID against two costs, on logarithmic axes."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from paper import NAMES
from point_names import name_points
from style import PAGE, save, style

_SHAPES = (("o", "-"), ("s", "--"), ("^", "-."), ("D", ":"))
# By column: the unit and the name of an axis.
_PANELS = {
    "macs": (1e6, "multiply-accumulates per image, millions"),
    "ms_per_image_64": (1, "ms per image on one core (batch 64)"),
}


def draw(out: Path, frame: pd.DataFrame, seeds: pd.Series, label: str) -> None:
    """Draw the two panels, a curve per architecture through its widths.

    Args:
        out: path without a suffix.
        frame: a row per point, and one of the source teacher: architecture, channels, fid with its
            interval, and the columns of both panels.
        seeds: the FID of each training; its index has the levels source and train_seed.
        label: the extractor.
    """
    palette = style()
    figure, panels = plt.subplots(1, 2, figsize=(PAGE, 2.9), sharey=True, layout="constrained")
    teacher = frame[frame.source == "teacher"].fid.item()
    curves = dict(list(frame.dropna(subset=["architecture"]).groupby("architecture", sort=False)))
    for axes, (column, (unit, name)) in zip(panels, _PANELS.items(), strict=True):
        for (marker, line), colour, (architecture, curve) in zip(
            cycle(_SHAPES), cycle(palette), curves.items(), strict=False
        ):
            x, y = curve[column].astype(float) / unit, curve.fid
            bars = [y - curve.fid_low, curve.fid_high - y]
            shape = {"color": colour, "marker": marker, "linestyle": line, "markersize": 4}
            shape |= {"capsize": 2, "elinewidth": 0.8, "capthick": 0.8}
            axes.errorbar(x, y, bars, **shape, label=NAMES.get(architecture, architecture))
            for value, source in zip(x, curve.source, strict=True):
                each = seeds[source]
                if len(each) > 1:
                    dots = {"color": colour, "alpha": 0.6, "linewidth": 0}
                    axes.scatter([value] * len(each), each, s=5, zorder=3, **dots)
        axes.axhline(teacher, color="0.4", linestyle=(0, (1, 1.5)), label="teacher")
        _logarithmic(axes, name)
    panels[0].set_ylabel(f"FID ({label})")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        title=_note(seeds),
        loc="outside upper center",
        frameon=False,
        ncols=len(curves) + 1,
    )
    figure.draw_without_rendering()  # settles the axes, so that text can be placed in pixels
    figure.set_layout_engine("none")
    for axes, (column, (unit, _)) in zip(panels, _PANELS.items(), strict=True):
        axes.autoscale(False)
        _name_widths(axes, list(curves.values()), column, unit, teacher)
    save(figure, out)


def _note(seeds: pd.Series) -> str:
    count = seeds.groupby(level="source").size().max()
    mean = f"mean of {count} seeds (small dots); " if count > 1 else "one seed; "
    return f"numbers: channels; {mean}bars: 95 % interval over the images"


def _logarithmic(axes: Axes, name: str) -> None:
    """Make the x axis logarithmic, with round ticks and room beside the points."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.25, high * 1.25)
    subs = (1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 5, 7)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(name)


def _name_widths(
    axes: Axes, curves: list[pd.DataFrame], column: str, unit: float, teacher: float
) -> None:
    """Write the number of channels beside each point, off the curves and the bars."""
    points = [np.column_stack([curve[column].astype(float) / unit, curve.fid]) for curve in curves]
    names = [str(channels) for curve in curves for channels in curve.channels]
    left, right = axes.get_xlim()
    lines = [_straight(np.array([left, teacher]), np.array([right, teacher]))]
    for curve, dots in zip(curves, points, strict=True):
        lines += [_straight(*ends) for ends in _pairs(dots)]
        for (x, _), low, high in zip(dots, curve.fid_low, curve.fid_high, strict=True):
            lines.append(_straight(np.array([x, low]), np.array([x, high])))
    placed = np.concatenate(points)
    lines = np.concatenate(lines)
    name_points(axes, placed, names, lines[np.isfinite(lines).all(axis=1)], range(len(names)))


def _pairs(dots: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return zip(dots[:-1], dots[1:], strict=True)


def _straight(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return points [200, 2] on what is a straight line where x is logarithmic."""
    x, y = np.geomspace(start[0], end[0], 200), np.linspace(start[1], end[1], 200)
    return np.column_stack([x, y])
