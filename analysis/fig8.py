"""Figure 8: FID against the training step, distilled and from scratch."""

import matplotlib.pyplot as plt
from matplotlib.ticker import LogFormatter, MaxNLocator, StrMethodFormatter

from results import extractor_label, read_curve, read_scores
from script import Run, main
from style import save, style

CURVES = {"dw": ("distilled (TinyGAN-dw)", "o"), "scratch": ("from scratch", "s")}


def fig8(run: Run) -> None:
    """Draw Figure 8; the FID axis is logarithmic where the values span more than a factor of 5."""
    palette = style()
    label = extractor_label(read_scores(run.inputs["scores"], list(CURVES)))
    curves = {variant: read_curve(run.inputs["curves"], variant) for variant in CURVES}
    figure, axes = plt.subplots(figsize=(4.8, 3.6), layout="constrained")
    for colour, (variant, (name, marker)) in zip(palette, CURVES.items(), strict=False):
        curve = curves[variant]
        axes.plot(curve.step, curve.fid, color=colour, marker=marker, markersize=5, label=name)
    values = [value for curve in curves.values() for value in curve.fid]
    if max(values) > 5 * min(values):
        axes.set_yscale("log")
        formatter = LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(formatter)
        axes.grid(which="minor", linewidth=0.4, alpha=0.5)
    else:
        axes.set_ylim(0, 1.05 * max(values))
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("training step")
    axes.set_ylabel(f"FID ({label})")
    figure.legend(loc="outside upper center", frameon=False, ncols=2)
    save(figure, run.out)


if __name__ == "__main__":
    main(
        fig8,
        __doc__,
        scores="scores/{dw,scratch}.json",
        curves="scores/curve/{dw,scratch}.csv",
    )
