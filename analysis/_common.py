"""What the tables and figures share: the paper's numbers, the run's results, tables and style."""

import argparse
import re
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

from tinygan.classes import match
from tinygan.files import atomic_file, read_json, write_text

DPI = 200
COST = ["channels", "parameters_total", "parameters_generator", "macs"]
EXTRACTOR = ["extractor", "extractor_sha256", "side"]
COUNTS = ["samples", "overall_samples", "real_samples"]
SCORES = ["inception_score", "inception_score_std", "fid", "intra_fid"]
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

# Tables 1 and 2 of the paper, by the name of the source in this project.
_TABLE1 = {
    "sngan": (64, 72.0e6, 42.0e6, 9.10e9, 31.4, 0.7, 29.0, 84.1),
    "sagan": (64, 81.5e6, 42.0e6, 9.18e9),
    "teacher": (128, 85.0e6, 50.4e6, 8.32e9, 146.1, 1.7, 19.8, 55.6),
    "std": (32, 12.6e6, 9.3e6, 2.29e9, 94.0, 1.2, 21.6, 70.6),
    "std_half": (16, 6.2e6, 2.9e6, 0.58e9, 68.25, 1.0, 27.4, 88.1),
    "dw": (32, 6.4e6, 3.1e6, 0.44e9, 79.19, 1.6, 24.2, 79.1),
}
PAPER: dict[str, dict[str, float]] = {
    source: dict(zip(COST + SCORES, row, strict=False)) for source, row in _TABLE1.items()
} | {
    "no_feat": {"fid": 54.4, "intra_fid": 149.2},
    "no_gan": {"fid": 28.8, "intra_fid": 89.9},
    "no_kd_adv": {"fid": 60.5, "intra_fid": 157.0},
    "pix_only": {"fid": 107.9, "intra_fid": 216.0},
}
PAPER_R = {"dw": 0.54, "std": 0.64}  # Fig. 9
MIN_CLASSES = 4  # for a correlation over the classes, see `correlation`
MIN_POINTS = 4  # of a learning curve, whose second half is judged: of two points it would be all
NAMES = {
    "teacher": "teacher",
    "dw": "TinyGAN-dw",
    "std": "TinyGAN-std",
    "std_half": "TinyGAN-std, half ch.",
    "scratch": "from scratch",
    "no_feat": "− L_KD_feat",
    "no_gan": "− L_GAN",
    "no_kd_adv": "− L_KD_S, L_KD_D",
    "pix_only": "L_KD_pix alone",
}


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
            + "\nscore all sources with the same metrics.extractor and metrics.side"
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
    return f"{scores.extractor.iloc[0]}, {scores.side.iloc[0]} px"


def number(value: float | None, digits: int = 2) -> str:
    """Format a score; an absent one is a dash."""
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def with_interval(values: Mapping[str, float], score: str) -> str:
    """Format a score with half its confidence interval, both by name; an absent one is a dash."""
    if pd.isna(values.get(f"{score}_high")):
        return number(values[score])
    half = (values[f"{score}_high"] - values[f"{score}_low"]) / 2
    return f"{number(values[score])} ± {number(half)}"


def _latex(text: str) -> str:
    text = re.sub(r"([%&#])", r"\\\1", text)
    text = re.sub(
        r"L_(\w+)", lambda m: f"$L_{{\\mathrm{{{m[1].replace('_', chr(92) + '_')}}}}}$", text
    )
    text = re.sub(r"(?<!L)(?<!\\)_(?!\{)", r"\\_", text)
    symbols = {"±": r"$\pm$", "−": "$-$", "–": "--", "×": r"$\times$"}
    symbols |= {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}
    for symbol, command in symbols.items():
        text = text.replace(symbol, command)
    return text


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column left, the others right aligned."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows]) + "\n"


def write_table(
    out: Path,
    frame: pd.DataFrame,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    title: str,
    caption: str,
    note: str,
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
    """
    write_text(out.with_suffix(".csv"), frame.to_csv(index=False))
    header = ["Model", *(f"run {c}" for c in columns), *(f"paper {c}" for c in columns)]
    cells = [[name, *run, *paper] for name, run, paper in rows]
    table = markdown_table(header, cells)
    text = f"**{title}: {caption}**\n\n{table}\n{note}\n"
    write_text(out.with_suffix(".md"), text)
    write_text(out.with_suffix(".html"), to_html(text, f"{title}: {caption}"))
    n = len(columns)
    heads = " & ".join(_latex(column) for column in columns)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table*}\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{_latex(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * n}{'r' * n}}}",
        r"\toprule",
        rf" & \multicolumn{{{n}}}{{c}}{{This run}} & \multicolumn{{{n}}}{{c}}{{Paper}} \\",
        rf"\cmidrule(lr){{2-{n + 1}}}\cmidrule(lr){{{n + 2}-{2 * n + 1}}}",
        rf"Model & {heads} & {heads} \\",
        r"\midrule",
        *(" & ".join(map(_latex, row)) + r" \\" for row in cells),
        r"\bottomrule",
        rf"\multicolumn{{{2 * n + 1}}}{{p{{0.95\textwidth}}}}{{{_latex(note)}}}",
        r"\end{tabular}",
        r"\end{table*}",
    ]
    write_text(out.with_suffix(".tex"), "\n".join(lines) + "\n")


def describe(run: Run, scores: pd.DataFrame) -> str:
    """Return the note of a table: extractor, counts, preset, seed, and how to read the groups."""

    def count(values: pd.Series) -> str:
        return " or ".join(f"{n:,}" for n in sorted(set(values)))

    generated = scores.drop(index="real", errors="ignore")
    overall = ""
    if (generated.overall_samples < generated.samples).any():
        overall = f" ({count(generated.overall_samples)} of them for IS and FID)"
    return (
        f"This run: preset {run.config['preset']}, seed {run.config['seed']}, features of "
        f"{extractor_label(scores)}; {count(generated.samples)} samples{overall} against "
        f"{count(generated.real_samples)} real images. Paper: TensorFlow Inception features of "
        "128 px images, 50,000 samples. The two groups are not comparable in absolute value, "
        "only in their order and ratios."
    )


def style() -> list[tuple[float, float, float]]:
    """Set the common style of all figures and return its colour-blind-safe palette."""
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind", font="DejaVu Sans")
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
