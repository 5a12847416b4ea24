"""What the tables and figures share: the paper's numbers, the run's results, tables and style."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import yaml
from matplotlib.figure import Figure

# Under conda the package is not installed: `python analysis/x.py` must find it in the checkout.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _pages import to_html
from _paper import SCORES, compares
from _text import cell, fonts, latex

from tinygan.classes.by_name import match
from tinygan.files import atomic_file, read_json, write_text

DPI = 200
EXTRACTOR = ["extractor", "extractor_sha256", "input_size"]
COUNTS = ["samples", "overall_samples", "real_samples"]
# What the paper does not have: it stands in the CSV files alone.
MORE = ["kid", "precision", "recall", "density", "coverage"]
INTERVALS = [
    f"{score}_{end}"
    for score in ("inception_score", "fid", "intra_fid", *MORE)
    for end in ("low", "high")
]
INTERVAL_NOTE = (
    " ± after FID and intra-FID is half the 95 % confidence interval over the draw of the images"
)

MIN_CLASSES = 4  # for a correlation over the classes, see `correlation`
MIN_POINTS = 4  # of a learning curve, whose second half is judged: of two points it would be all


@dataclass(frozen=True)
class Run:
    """One call of a script: the resolved config, the folder of results, the path to write to."""

    config: dict[str, Any]
    results: Path
    out: Path


def main(make: Callable[[Run], Any], description: str | None) -> None:
    """Parse --config, --results and --out, and call `make`; bad input ends with one clear line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", type=Path, required=True, help="the run's resolved config.yaml")
    parser.add_argument("--results", type=Path, required=True, help="folder results/{preset}")
    parser.add_argument("--out", type=Path, required=True, help="path to write; suffixes are added")
    options = parser.parse_args()
    try:
        config = yaml.safe_load(_present(options.config).read_text(encoding="utf-8"))
        make(Run(config, options.results, options.out))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"error: {error}")


def _present(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: snakemake --cores 2 {path}")
    return path


def read_scores(results: Path, sources: Sequence[str]) -> pd.DataFrame:
    """Read scores/{source}.json of each source.

    Returns:
        One row a source, indexed by it, with the JSON files' keys as columns.

    Raises:
        FileNotFoundError: a file is missing; the message names the target that makes it.
        ValueError: a score is missing or not finite, or the extractors or the classes differ. Only
            the ends of an interval may be null.
    """
    rows = {}
    for source in sources:
        path = _present(results / "scores" / f"{source}.json")
        row = read_json(path)
        lacking = [key for key in [*EXTRACTOR, *COUNTS] if key not in row]
        lacking += [key for key in SCORES + MORE if not _finite(row.get(key))]
        # The images may have been too few for an interval.
        ends = {key: row.get(key, np.nan) for key in INTERVALS}
        lacking += [key for key, end in ends.items() if end is not None and not _finite(end)]
        if lacking:
            raise ValueError(f"{path} has no (finite) {', '.join(lacking)}; make it again")
        rows[source] = row
    frame = pd.DataFrame.from_dict(rows, orient="index")
    if len(frame[EXTRACTOR].drop_duplicates()) > 1:
        raise ValueError(
            "scores of different extractors cannot stand in one column:\n"
            + frame[EXTRACTOR].to_string()
            + "\nscore all sources with the same metrics.extractor and metrics.input_size"
        )
    named = {source: row["classes"] for source, row in rows.items() if "classes" in row}
    for source, classes in named.items():
        first = next(iter(named))
        match(named[first], classes, what=f"{first}.json", by=f"{source}.json", exact=True)
    return frame


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def read_csv(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV that must have these columns; only the `optional` ones may have empty cells.

    Raises:
        FileNotFoundError: it is missing; the message names the target that makes it.
        ValueError: a column is missing, a cell is empty or not finite, or there is no row.
    """
    frame = pd.read_csv(_present(path))
    missing = [name for name in [*columns, *optional] if name not in frame]
    if missing or frame.empty:
        raise ValueError(f"{path} lacks {', '.join(missing) or 'rows'}; make it again")
    for name in columns:
        bad = frame[name].isna() | frame[name].isin([np.inf, -np.inf])
        if bad.any():
            raise ValueError(f"{path}, line {bad.idxmax() + 2}: {name} is not a finite value")
    return frame


def read_cost(results: Path) -> pd.DataFrame:
    """Read cost.csv, indexed by source; a black-box teacher may lack some columns, or its row."""
    columns = ["source", "parameters_generator", "macs"]
    frame = read_csv(results / "cost.csv", columns, ["channels", "parameters_total"])
    return frame.set_index("source")


def read_intra_fid(results: Path, source: str) -> pd.DataFrame:
    """Read intra_fid/{source}.csv, indexed by class; columns name and intra_fid.

    For ImageNet there is a column wnid, too.
    """
    path = results / "intra_fid" / f"{source}.csv"
    return read_csv(path, ["class", "name", "intra_fid"]).set_index("class").sort_index()


def read_curve(results: Path, variant: str) -> pd.DataFrame:
    """Read scores/curve/{variant}.csv, in order of step; columns step and fid."""
    path = results / "scores" / "curve" / f"{variant}.csv"
    return read_csv(path, ["step", "fid"]).sort_values("step", ignore_index=True)


def read_intra_pair(results: Path, student: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the teacher's and the student's intra-FID, float [classes] each, and the names.

    The classes are matched by name and come in the teacher's order.

    Raises:
        ValueError: the two were scored on different classes.
    """
    teacher, scores = read_intra_fid(results, "teacher"), read_intra_fid(results, student)
    names = teacher["name"].astype(str).to_list()
    rows = match(
        scores["name"].astype(str).to_list(),
        names,
        what=f"intra_fid/{student}.csv",
        by="intra_fid/teacher.csv",
        exact=True,
    )
    return teacher.intra_fid.to_numpy(), scores.intra_fid.to_numpy()[rows], names


def correlation(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return Pearson's correlation over the classes; None for too few, or where it is not defined.

    Of two classes it is always 1 or -1, and of three unrelated scores give most often nearly that;
    from four on they no longer do.
    """
    if len(x) < MIN_CLASSES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return pearson(x, y)


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation of two vectors; ValueError where it is not defined."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("a correlation needs at least two classes whose scores differ")
    x, y = x - np.mean(x), y - np.mean(y)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def tail_spread(fid: np.ndarray) -> float:
    """Return max - min of FID over the second half of a learning curve's points (claim 4)."""
    if len(fid) < 2:
        raise ValueError("a learning curve needs two points: set train.snapshots to 2 or more")
    tail = fid[-max(2, (len(fid) + 1) // 2) :]
    return float(np.ptp(tail))


def extractor_label(scores: pd.DataFrame) -> str:
    """Return the extractor and its input size, for labels and notes."""
    return f"{scores.extractor.iloc[0]}, {scores.input_size.iloc[0]} px"


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
        beside: whether the paper's numbers stand beside the run's.
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


_PAPERS = (
    "Paper: TensorFlow Inception features of 128 px images, 50,000 samples. The two groups are not "
    "comparable in absolute value, only in their order and ratios."
)
_OTHER = (
    "The paper's numbers are of ImageNet's animals and do not stand beside those of other data."
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
    """Write {out}.png and {out}.pdf; equal figures give equal bytes, so no dates are kept."""
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with atomic_file(out.with_suffix(suffix)) as partial:
            figure.savefig(partial, metadata=metadata)
    plt.close(figure)
