"""The common style of all figures, their widths on paper, and how they are saved."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

import checkout  # noqa: F401
from text import fonts
from tinygan.files import atomic_file

matplotlib.use("Agg")

# Inches, of one and of two columns of a page. The sizes of text, in points, are those on paper.
COLUMN, PAGE = 3.3, 6.9
SMALL, TEXT = 6.5, 7
DPI = 216  # three pixels per point


def style(*texts: str) -> list[tuple[float, float, float]]:
    """Set the common style of all figures, with fonts for these texts; return its palette.

    The palette is safe for colour-blind readers, and figures also tell their parts apart by marker
    and line style.
    """
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind", font=fonts(*texts))
    sizes = {"axes.labelsize": TEXT, "axes.titlesize": TEXT, "legend.title_fontsize": SMALL}
    ticks = {f"{axis}tick.{key}": value for axis in "xy" for key, value in _TICKS.items()}
    plt.rcParams.update(
        {"pdf.fonttype": 42, "figure.dpi": DPI, "savefig.dpi": "figure"}
        | {"grid.linewidth": 0.5, "axes.linewidth": 0.7, "lines.linewidth": 1.2}
        | {"font.size": TEXT, "legend.fontsize": TEXT, **sizes, **ticks}
    )
    return sns.color_palette("colorblind")


_TICKS = {"labelsize": SMALL, "major.pad": 2}


def save(figure: Figure, out: Path) -> None:
    """Write {out}.png and {out}.pdf, without dates: equal figures have equal bytes."""
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with atomic_file(out.with_suffix(suffix)) as partial:
            figure.savefig(partial, metadata=metadata)
    plt.close(figure)
