"""Tables in Markdown, HTML, LaTeX and CSV, and the note below them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pages import to_html
from paper import compares
from results import extractor_label
from script import Run
from text import cell, latex
from tinygan.files import write_text

INTERVAL_NOTE = (
    " ± after FID and intra-FID is half the 95 % confidence interval over the draw of the images"
)
_PAPERS = (
    "Paper: TensorFlow Inception features of 128 px images, 50,000 samples. The two groups are not "
    "comparable in absolute value, only in their order and ratios."
)
_OTHER = (
    "The paper's numbers are of ImageNet's animals and are not shown beside those of other data."
)


def describe(run: Run, scores: pd.DataFrame) -> str:
    """Return the note of a table: extractor, counts, preset, seed, and how to read the groups."""

    def count(values: pd.Series) -> str:
        return " or ".join(f"{n:,}" for n in sorted(set(values)))

    generated = scores.drop(index="real", errors="ignore")
    overall = ""
    if (generated.overall_samples < generated.samples).any():
        overall = f" ({count(generated.overall_samples)} of them for IS and FID)"
    others = _PAPERS if compares(run.config) else _OTHER
    return (
        f"This run: preset {run.config['preset']}, seed {run.config['seed']}, features of "
        f"{extractor_label(scores)}; {count(generated.samples)} samples{overall} against "
        f"{count(generated.real_samples)} real images. {others}"
    )


def number(value: float | None, digits: int = 2) -> str:
    """Format a score; an absent one is a dash."""
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def with_interval(values: Mapping[str, float], score: str) -> str:
    """Format a score with half its confidence interval, both by name; an absent one is a dash."""
    if pd.isna(values.get(f"{score}_high")):
        return number(values[score])
    half = (values[f"{score}_high"] - values[f"{score}_low"]) / 2
    return f"{number(values[score])} ± {number(half)}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column left, the others right aligned."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    shown = [header, rule, *([cell(text) for text in row] for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in shown) + "\n"


def write_table(
    out: Path,
    frame: pd.DataFrame,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    title: str,
    caption: str,
    note: str,
    *,
    beside: bool,
) -> None:
    """Write {out}.csv with the numbers, and {out}.md, {out}.html and {out}.tex for people.

    Args:
        out: path without a suffix.
        frame: the numbers, flat columns.
        columns: headings of one group of columns; the table has two, this run's and the paper's.
        rows: for each row its name, this run's cells and the paper's cells.
        title: the table's name; LaTeX numbers its tables itself.
        caption: what the table shows.
        note: the line under the table.
        beside: whether to show the paper's numbers beside the run's.
    """
    write_text(out.with_suffix(".csv"), frame.to_csv(index=False))
    groups = {"run": "This run", "paper": "Paper"} if beside else {"run": "This run"}
    header = ["Model", *(f"{who} {c}" if beside else c for who in groups for c in columns)]
    cells = [[name, *run, *(paper if beside else [])] for name, run, paper in rows]
    table = markdown_table(header, cells)
    text = f"**{title}: {caption}**\n\n{table}\n{note}\n"
    write_text(out.with_suffix(".md"), text)
    write_text(out.with_suffix(".html"), to_html(text, f"{title}: {caption}"))
    n = len(columns)
    heads = " & ".join(latex(column) for column in columns)
    ends = [(2 + i * n, 1 + (i + 1) * n) for i in range(len(groups))]
    spans = "".join(rf" & \multicolumn{{{n}}}{{c}}{{{group}}}" for group in groups.values())
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table*}\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{latex(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * n * len(groups)}}}",
        r"\toprule",
        rf"{spans} \\",
        "".join(rf"\cmidrule(lr){{{first}-{last}}}" for first, last in ends),
        "Model" + f" & {heads}" * len(groups) + r" \\",
        r"\midrule",
        *(" & ".join(map(latex, row)) + r" \\" for row in cells),
        r"\bottomrule",
        rf"\multicolumn{{{len(groups) * n + 1}}}{{p{{0.95\textwidth}}}}{{{latex(note)}}}",
        r"\end{tabular}",
        r"\end{table*}",
    ]
    write_text(out.with_suffix(".tex"), "\n".join(lines) + "\n")
