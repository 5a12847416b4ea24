"""Figure 8: FID against the training step, distilled and from scratch."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter, MaxNLocator, StrMethodFormatter

from results import extractor_label, read_curve, read_scores
from script import Run, main
from style import COLUMN, save, style

CURVES = {
    "dw": ("distilled (TinyGAN-dw)", "o", "-"),
    "scratch": ("from scratch", "s", "--"),
}


def fig8(run: Run) -> None:
    """Draw Figure 8: of several seeds, their mean and a band from the lowest to the highest.

    The FID axis is logarithmic where the values span more than a factor of 5.
    """
    palette = style()
    label = extractor_label(read_scores(run.inputs["scores"], list(CURVES)))
    curves = {variant: read_curve(run.inputs["curves"], variant) for variant in CURVES}
    figure, axes = plt.subplots(figsize=(COLUMN, 2.6), layout="constrained")
    for colour, (variant, (name, marker, line)) in zip(palette, CURVES.items(), strict=False):
        low, mean, high = (
            getattr(curves[variant], each)(axis=1) for each in ("min", "mean", "max")
        )
        axes.plot(mean, color=colour, marker=marker, markersize=4, linestyle=line, label=name)
        if len(curves[variant].columns) > 1:
            axes.fill_between(mean.index, low, high, color=colour, alpha=0.25, linewidth=0)
    values = np.concatenate([curve.to_numpy().ravel() for curve in curves.values()])
    _scale(axes, values.min(), values.max())
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("training step")
    axes.set_ylabel(f"FID ({label})")
    seeds = len(curves["dw"].columns)
    title = f"mean of {seeds} seeds; band: lowest to highest" if seeds > 1 else None
    figure.legend(loc="outside upper center", frameon=False, ncols=2, title=title)
    save(figure, run.out)


def _scale(axes: Axes, low: float, high: float) -> None:
    """Set the FID axis for values from `low` to `high`."""
    if high <= 5 * low:
        axes.set_ylim(0, 1.05 * high)
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
    axes.grid(which="minor", linewidth=0.4, alpha=0.5)


if __name__ == "__main__":
    main(
        fig8,
        __doc__,
        scores="scores/{dw,scratch}.json",
        curves="scores/curve/{dw,scratch}.csv",
    )
