"""The common style of all figures, and how they are saved."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

import checkout  # noqa: F401
from text import fonts
from tinygan.files import atomic_file

matplotlib.use("Agg")

DPI = 200


def style(*texts: str) -> list[tuple[float, float, float]]:
    """Set the common style of all figures, with fonts for these texts; return its palette.

    The palette is safe for colour-blind readers.
    """
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind", font=fonts(*texts))
    plt.rcParams.update(
        {"pdf.fonttype": 42, "figure.dpi": DPI, "savefig.dpi": DPI}
        | {"grid.linewidth": 0.6, "axes.linewidth": 0.8}
    )
    return sns.color_palette("colorblind")


def save(figure: Figure, out: Path) -> None:
    """Write {out}.png and {out}.pdf, without dates: equal figures have equal bytes."""
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with atomic_file(out.with_suffix(suffix)) as partial:
            figure.savefig(partial, metadata=metadata)
    plt.close(figure)
