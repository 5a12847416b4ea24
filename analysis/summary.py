"""The results of a run in the terminal: Tables 1 and 2, the verdicts, and where the files are."""

import argparse
import sys
from pathlib import Path

import pandas as pd

_LINES = {
    "table1": ("Table 1: cost and scores", ["parameters_generator", "macs", "fid", "intra_fid"]),
    "table2": ("Table 2: ablations of the objective", ["fid", "intra_fid"]),
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
    """Return the summary of a run; files that are missing are left out.

    Raises:
        FileNotFoundError: there are no results.
    """
    parts = []
    for name, (title, columns) in _LINES.items():
        path = results / "tables" / f"{name}.csv"
        if path.is_file():
            parts.append(f"{title}\n{_table(pd.read_csv(path), columns)}")
    if (results / "claims.md").is_file():
        parts.append(_verdicts((results / "claims.md").read_text(encoding="utf-8")))
    places = {path: words for path, words in _PLACES.items() if (results / path).exists()}
    if not parts and not places:
        raise FileNotFoundError(f"{results} has no results; make them: snakemake --cores 2 all")
    width = max(len(f"{results}/{path}") for path in places)
    rows = [f"  {f'{results}/{path}':<{width}}  {words}" for path, words in places.items()]
    return "\n\n".join([*parts, "\n".join(["Where the files are", *rows])])


def _table(frame: pd.DataFrame, columns: list[str]) -> str:
    rows = [["", *(f"{_HEADS[key]}{end}" for key in columns for end in _ends(frame, key))]]
    for _, row in frame.iterrows():
        cells = [
            _number(row[f"paper_{key}" if end else key], key)
            for key in columns
            for end in _ends(frame, key)
        ]
        rows.append([str(row["model"]), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _ends(frame: pd.DataFrame, key: str) -> list[str]:
    """Return the endings of a heading: this run's numbers, and the paper's where they are shown."""
    return ["", " (paper)"] if f"paper_{key}" in frame else [""]


def _number(value: float, key: str) -> str:
    if pd.isna(value):
        return "–"
    return f"{value / _UNITS[key]:,.2f}" if key in _UNITS else f"{value:.1f}"


def _verdicts(claims: str) -> str:
    rows = [line.strip("| ").split(" | ") for line in claims.splitlines() if line[:3] in _NUMBERED]
    width = max(len(verdict) for _, verdict in rows)
    lines = [f"  {verdict:<{width}}  {claim}" for claim, verdict in rows]
    title = "The paper's claims on this run (one run: a small difference may be noise)"
    return "\n".join([title, *lines])


_NUMBERED = tuple(f"| {i}" for i in range(1, 10))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/mini"), metavar="FOLDER")
    sys.stdout.reconfigure(errors="replace")
    try:
        print(summary(parser.parse_args().results))
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
