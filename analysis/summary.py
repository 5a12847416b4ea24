"""The results of a run in the terminal: Tables 1 and 2, the claims, and where the files are."""

import argparse
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import checkout  # noqa: F401
from tinygan.files import read_json

WIDTH = 100  # characters
_NAME = 32  # characters of a model's name
_BLOCKS = {
    "Table 1, cost": ("table1", ["parameters_generator", "macs"]),
    "Table 1, scores": ("table1", ["fid", "intra_fid"]),
    "Table 2, ablations of the objective": ("table2", ["fid", "intra_fid"]),
}
_HEADS = {
    "parameters_generator": "G par., M",
    "macs": "MACs, M",
    "fid": "FID",
    "intra_fid": "intra-FID",
}
_UNITS = {"parameters_generator": 1e6, "macs": 1e6}
_PLACES = {
    "tables": "tables (Markdown, HTML, CSV, LaTeX)",
    "figures": "figures (PNG, PDF)",
    "claims.md": "each claim with its numbers",
    "scores": "scores of each source, with intervals",
    "models": "the trained generators",
    "report.html": "all of these in one page, to open in a browser",
}


def summary(results: Path) -> str:
    """Return the summary of a run, in lines of at most WIDTH; files that are missing are left out.

    Raises:
        FileNotFoundError: there are no results.
    """
    parts = []
    for title, (name, columns) in _BLOCKS.items():
        path = results / "tables" / f"{name}.csv"
        if path.is_file():
            parts.append(_block(title, pd.read_csv(path), columns))
    if (results / "claims.json").is_file():
        parts.append(_claims(read_json(results / "claims.json")))
    places = {path: words for path, words in _PLACES.items() if (results / path).exists()}
    if not parts and not places:
        raise FileNotFoundError(f"{results} has no results; make them: snakemake --cores 2 all")
    width = max(len(f"{results}/{path}") for path in places)
    rows = [f"  {f'{results}/{path}':<{width}}  {words}" for path, words in places.items()]
    return "\n\n".join([*parts, "\n".join(["Where the files are", *rows])])


def _block(title: str, frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return some columns of a table, the paper's beside, without the rows that have none."""
    heads = {f"{end}{key}": key for key in columns for end in ("", "paper_")}
    paper = [" (paper)" if name != key else "" for name, key in heads.items()]
    rows = [["", *(_HEADS[key] + end for key, end in zip(heads.values(), paper, strict=True))]]
    for _, row in frame[frame[[*heads]].notna().any(axis=1)].iterrows():
        name = textwrap.shorten(str(row["model"]), _NAME, placeholder=" …")
        rows.append([name, *(_cell(row, column) for column in heads)])
    if columns[0] in _UNITS:
        return f"{title}\n{_aligned(rows)}"
    seeds = int(frame.seeds.max())
    spread = "one seed" if seeds == 1 else f"mean ± standard deviation over {seeds} seeds"
    return f"{title} ({spread})\n{_aligned(rows)}"


def _cell(row: pd.Series, column: str) -> str:
    if pd.isna(row[column]):
        return "–"
    if unit := _UNITS.get(column.removeprefix("paper_")):
        return f"{row[column] / unit:,.2f}"
    deviation = row.get(f"{column}_sd_seeds")
    return f"{row[column]:.1f}" + ("" if pd.isna(deviation) else f" ± {deviation:.1f}")


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _claims(found: Mapping[str, Any]) -> str:
    """Return the verdict, the title and the reason of each claim."""
    width = max(len(claim["verdict"]) for claim in found["claims"])
    lines = ["The paper's claims on this run"]
    for claim in found["claims"]:
        start = f"  {claim['verdict']:<{width}}  {claim['number']}. "
        lines += textwrap.wrap(
            f"{claim['title']} ({claim['reason']})",
            WIDTH,
            initial_indent=start,
            subsequent_indent=" " * len(start),
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/mini"), metavar="FOLDER")
    sys.stdout.reconfigure(errors="replace")
    try:
        print(summary(parser.parse_args().results))
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
