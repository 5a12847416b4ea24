"""Tables in Markdown, HTML, LaTeX and CSV, and the notes below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pages import to_html
from paper import compares
from results import extractor_label
from script import Run
from seeds import MOST, Difference, seeds_in
from text import cell, latex
from tinygan.files import write_text

INTERVAL_NOTE = (
    "In parentheses, after a score of this run: half its 95 % interval over the draw of the images."
)
_PAPERS = (
    "Paper: TensorFlow Inception features of 128 px images, 50,000 samples. The two groups are not "
    "comparable in absolute value, only in their order and ratios."
)
_OTHER = (
    "The paper's numbers are of ImageNet's animals and are not shown beside those of other data."
)


@dataclass(frozen=True)
class Block:
    """A part of a table, narrow enough for a page.

    Attributes:
        heading: what it shows.
        run: the headings of this run's columns.
        paper: the headings of the paper's columns; empty where they are not shown.
        rows: for each row its name, this run's cells and the paper's cells.
    """

    heading: str
    run: Sequence[str]
    paper: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str], Sequence[str]]]

    @property
    def header(self) -> list[str]:
        """All headings, which say whose numbers they are where the paper's are shown."""
        ours = [f"run {name}" if self.paper else name for name in self.run]
        return ["Model", *ours, *(f"paper {name}" for name in self.paper)]

    @property
    def cells(self) -> list[list[str]]:
        """All cells, without the rows that have none but dashes."""
        rows = ([name, *run, *(paper if self.paper else [])] for name, run, paper in self.rows)
        return [row for row in rows if set(row[1:]) != {"–"}]


def describe(run: Run, scores: pd.DataFrame) -> str:
    """Return the note of a table with the paper's numbers: `about`, and how to read the groups."""
    return f"{about(run, scores)} {_PAPERS if compares(run.config) else _OTHER}"


def about(run: Run, scores: pd.DataFrame) -> str:
    """Return what the scores depend on: preset, seeds, extractor, numbers of images.

    Args:
        run: the call of the script.
        scores: of `results.read_scores`.
    """

    def count(values: pd.Series) -> str:
        return " or ".join(f"{n:,}" for n in sorted(set(values)))

    generated = scores.drop(index="real", level="source", errors="ignore")
    overall = ""
    if (generated.overall_samples < generated.samples).any():
        overall = f" ({count(generated.overall_samples)} of them for IS and FID)"
    return (
        f"This run: preset {run.config['preset']}, seed {run.config['seed']}, "
        f"{_trainings(seeds_in(scores, run.config['variants']))}, features of "
        f"{extractor_label(scores)}; {count(generated.samples)} samples{overall} against "
        f"{count(generated.real_samples)} real images."
    )


def _trainings(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"each student trained once (seed {seeds[0]})"
    return f"each student trained {len(seeds)} times (seeds {', '.join(map(str, seeds))})"


def score_heading(seeds: int) -> str:
    """Return how a score of this run is to be read, for the heading of a block."""
    if seeds == 1:
        return "one seed (± half the 95 % interval over images)"
    return f"mean ± standard deviation over {seeds} seeds (± half the 95 % interval over images)"


def number(value: float | None, digits: int = 2) -> str:
    """Format a score; an absent one is a dash."""
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def quantity(value: float | None, unit: float) -> str:
    """Format a count as the paper does (3.1 M, 0.44 B), or in a smaller unit where it is small.

    Args:
        value: the count, or None.
        unit: 1e6 for parameters, 1e9 for multiply-accumulates.
    """
    if value is None or np.isnan(value):
        return "–"
    if unit == 1e9 and value >= 1e8:
        return f"{value / 1e9:.2f} B"
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def signed(value: float, digits: int = 2) -> str:
    """Format a difference with its sign; an absent one is a dash."""
    return "–" if np.isnan(value) else f"{value:+.{digits}f}".replace("-", "−")


def with_spread(values: Mapping[str, float], score: str, digits: int | None = None) -> str:
    """Format a score as mean ± deviation over seeds (± half the interval over images).

    What is absent is left out: the deviation of one seed, the interval of too few images. A FID has
    one decimal, as in the paper, unless `digits` says otherwise.
    """
    if digits is None:
        digits = 2 if score == "inception_score" else 1
    shown = number(values[score], digits)
    if not pd.isna(deviation := values.get(f"{score}_sd_seeds")):
        shown += f" ± {number(deviation, digits)}"
    if not pd.isna(values.get(f"{score}_high")):
        half = (values[f"{score}_high"] - values[f"{score}_low"]) / 2
        shown += f" (± {number(half, digits)})"
    return shown


def interval(found: Difference) -> str:
    """Format the interval of a difference; of one seed there is none."""
    return "–" if found.count == 1 else f"{signed(found.low)} to {signed(found.high)}"


def needed(found: Difference) -> str:
    """Format the number of seeds that would decide a difference."""
    if found.to_decide is None:
        return "unknown"
    return f"more than {MOST:,}" if found.to_decide > MOST else str(found.to_decide)


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False
) -> str:
    """Return a Markdown table, the first column left, the others right aligned unless `words`."""
    rule = [":--", *[":--" if words else "--:"] * (len(header) - 1)]
    shown = [header, rule, *([cell(text) for text in row] for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in shown) + "\n"


def write_table(
    out: Path,
    frame: pd.DataFrame,
    blocks: Sequence[Block],
    title: str,
    caption: str,
    note: str,
) -> None:
    """Write {out}.csv with the numbers, and {out}.md, {out}.html and {out}.tex for people.

    Args:
        out: path without a suffix.
        frame: the numbers, flat columns.
        blocks: the parts of the table, one below the other.
        title: the table's name; LaTeX numbers its tables itself.
        caption: what the table shows.
        note: the paragraph under the table.
    """
    write_text(out.with_suffix(".csv"), frame.to_csv(index=False))
    parts = [f"**{title}: {caption}**"]
    for block in blocks:
        parts += [f"**{block.heading}**", markdown_table(block.header, block.cells).rstrip()]
    text = "\n\n".join([*parts, note]) + "\n"
    write_text(out.with_suffix(".md"), text)
    write_text(out.with_suffix(".html"), to_html(text, f"{title}: {caption}"))
    lines = [
        r"% needs \usepackage{booktabs}, and two columns of text",
        r"\begin{table*}\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{latex(caption)}}}",
        *(line for block in blocks for line in _tabular(block)),
        rf"\parbox{{0.95\textwidth}}{{{latex(note)}}}",
        r"\end{table*}",
    ]
    write_text(out.with_suffix(".tex"), "\n".join(lines) + "\n")


def _tabular(block: Block) -> list[str]:
    groups = {"This run": block.run, "Paper": block.paper} if block.paper else {"": block.run}
    spans, rules, last = "", "", 1
    for name, columns in groups.items():
        first, last = last + 1, last + len(columns)
        spans += rf" & \multicolumn{{{len(columns)}}}{{c}}{{{name}}}"
        rules += rf"\cmidrule(lr){{{first}-{last}}}"
    heads = [latex(column) for columns in groups.values() for column in columns]
    return [
        rf"\textbf{{{latex(block.heading)}}}\par\smallskip",
        rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"\toprule",
        *([rf"{spans} \\", rules] if block.paper else []),
        " & ".join(["Model", *heads]) + r" \\",
        r"\midrule",
        *(" & ".join(map(latex, row)) + r" \\" for row in block.cells),
        r"\bottomrule",
        r"\end{tabular}\par\medskip",
    ]
