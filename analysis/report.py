"""The report of a run: its story, claims, tables, figures, cost, time and provenance in one page.

The page needs no network and no other file. Its links lead to files beside it.
"""

import base64
import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from documents import ABSENT, Document, Table, first_sentence, read_caption, read_document
from paper import labels
from results import read_csv
from script import Run, main, present
from story import duration, headline, story
from tinygan.files import read_json, write_text
from tinygan.provenance.page import facts

TEMPLATES = Path(__file__).resolve().parent / "templates"
# Snakemake's own report, beside this one.
SNAKEMAKE = "snakemake_report.html"
# The verdicts, each with its mark and its class in the style sheet.
VERDICTS = {"holds": ("✓", "yes"), "does not hold": ("✗", "no"), "undecided": ("?", "open")}
_CLAIM = ("number", "title", "check", "verdict", "reason", "header", "rows", "note")
_COST = {"parameters_total": "total parameters, M", "parameters_generator": "generator, M"}
_COST |= {"macs": "MACs per image, M"}
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Figure:
    """A figure: its name, heading, caption as HTML, text for those who cannot see it, and image."""

    name: str
    title: str
    caption: str
    alt: str
    source: str  # a data URI
    width: int  # px
    height: int
    pdf: str  # a link


def report(run: Run) -> str:
    """Write the report, an HTML page; return it."""
    files, record = run.inputs, read_json(present(run.inputs["provenance"][0]))
    claims = read_claims(files["claims"][0])
    numbers = {path.stem: path for path in files["tables"] if path.suffix == ".csv"}
    if missing := {"table1", "table2"} - numbers.keys():
        raise ValueError(f"--tables lacks {min(missing)}.csv")
    scores = read_csv(numbers["table1"], ["model", "source"]).set_index("source")
    ratios = read_csv(numbers["table2"], ["source", "fid"]).set_index("source").fid
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            preset=run.config["preset"],
            record=record,
            headline=headline(claims),
            story=story(run.config, record, scores, ratios / ratios["dw"]),
            claims=claims,
            tables=[read_table(path, run.out) for path in _in_order(files["tables"], ".md")],
            figures=read_figures(files["figures"], files["captions"], run),
            cost=cost(files["cost"][0], run.config),
            jobs=jobs(record),
            total=duration(sum(row["seconds"] for row in record["jobs"].values())),
            facts=list(facts(record)),
            config=yaml.safe_dump(record["config"], sort_keys=False, allow_unicode=True, width=80),
            files=Table.of(["file", "SHA-256"], record["files"].items()),
            snakemake=SNAKEMAKE,
            folder=run.out.parent,
        )
    )
    write_text(run.out.with_suffix(".html"), page)
    return page


def read_claims(path: Path) -> list[dict[str, Any]]:
    """Read claims.json: each claim, with its numbers as a table and the mark of its verdict.

    Raises:
        FileNotFoundError: it is missing; the message names the target that makes it.
        ValueError: a claim lacks a key, or its verdict is not known.
    """
    claims = read_json(present(path)).get("claims", [])
    for i, claim in enumerate(claims, start=1):
        lacking = [key for key in _CLAIM if key not in claim]
        if lacking or claim["verdict"] not in VERDICTS:
            wrong = f"lacks {', '.join(lacking)}" if lacking else f"is {claim['verdict']!r}"
            raise ValueError(f"{path}: claim {i} {wrong}; make it again")
        mark, kind = VERDICTS[claim["verdict"]]
        claim |= {"mark": mark, "kind": kind, "table": Table.of(claim["header"], claim["rows"])}
    if not claims:
        raise ValueError(f"{path} has no claims; make it again")
    return claims


def read_table(path: Path, out: Path) -> tuple[str, Document, dict[str, str]]:
    """Return a table's name, its content, and links to its other forms."""
    links = {"CSV": _link(path.with_suffix(".csv"), out)}
    links |= {"LaTeX": _link(path.with_suffix(".tex"), out)}
    return path.stem, read_document(path), links


def read_figures(images: Sequence[Path], captions: Sequence[Path], run: Run) -> list[Figure]:
    """Return the figures in the paper's order, own ones last.

    Raises:
        FileNotFoundError: an image or caption is missing.
        ValueError: a file is not a PNG image, or there is no caption of that name.
    """
    texts, found = {path.stem: path for path in captions}, []
    for path in _in_order(images, ".png"):
        data = present(path).read_bytes()
        if not data.startswith(_PNG) or len(data) < 24:
            raise ValueError(f"{path} is not a PNG image; make it again")
        if path.stem not in texts:
            raise ValueError(f"--captions lacks {path.stem}.rst")
        width, height = struct.unpack(">II", data[16:24])
        caption = read_caption(texts[path.stem], run.config)
        source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
        title, pdf = _title(path.stem), _link(path.with_suffix(".pdf"), run.out)
        alt = first_sentence(caption)
        found.append(Figure(path.stem, title, caption, alt, source, width, height, pdf))
    return found


def cost(path: Path, config: Mapping[str, Any]) -> Table:
    """Return the parameters and multiply-accumulates of the teacher and of every variant."""
    frame, names = read_csv(path, ["source"], ["architecture", "channels", *_COST]), labels(config)
    rows = [
        [names.get(row.source, row.source), _shown(row.architecture), _shown(row.channels, "g")]
        + [_millions(row[key]) for key in _COST]
        for _, row in frame.iterrows()
    ]
    return Table.of(["model", "architecture", "ch", *_COST.values()], rows)


def jobs(record: Mapping[str, Any]) -> Table:
    """Return the time and memory of the run's jobs by rule, the longest first."""
    ordered = sorted(record["jobs"].items(), key=lambda item: -item[1]["seconds"])
    total = sum(row["seconds"] for row in record["jobs"].values()) or 1.0
    rows = [
        [
            rule,
            f"{row['jobs']:,}",
            f"{row['seconds']:,.1f}",
            f"{100 * row['seconds'] / total:.1f} %",
            ABSENT if row["peak_mb"] is None else f"{row['peak_mb']:,.0f}",
        ]
        for rule, row in ordered
    ]
    return Table.of(["rule", "jobs", "time of all, s", "share", "peak memory of a job, MiB"], rows)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["table"] = lambda block: isinstance(block, Table)
    return made


def _in_order(files: Sequence[Path], suffix: str) -> list[Path]:
    """Return the files with a suffix by the number in their name, those without one last."""
    found = {path: re.fullmatch(r"\D+(\d+)", path.stem) for path in files if path.suffix == suffix}
    return sorted(found, key=lambda path: int(found[path][1]) if found[path] else 10**9)


def _title(name: str) -> str:
    """Return the heading of a figure: ``Figure 8`` of fig8, ``My plot`` of my_plot."""
    if number := re.fullmatch(r"fig(\d+)", name):
        return f"Figure {number[1]}"
    return name.replace("_", " ").capitalize()


def _link(path: Path, out: Path) -> str:
    return quote(Path(os.path.relpath(path, out.parent)).as_posix())


def _millions(value: float) -> str:
    return ABSENT if pd.isna(value) else f"{value / 1e6:,.2f}"


def _shown(value: Any, form: str = "") -> str:
    return ABSENT if pd.isna(value) else format(value, form)


if __name__ == "__main__":
    main(
        report,
        __doc__,
        claims="claims.json",
        tables="tables/table*.*",
        figures="figures/*.png",
        captions="workflow/report/fig*.rst",
        cost="cost.csv",
        provenance="provenance.json",
    )
