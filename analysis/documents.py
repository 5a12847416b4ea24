"""Tables in Markdown and captions in reStructuredText, as parts of the report."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from docutils.core import publish_parts
from docutils.utils import SystemMessage
from jinja2 import Environment, StrictUndefined, TemplateError
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from script import present

ABSENT = "–"
_NUMBER = re.compile(r"([+−-]?)(\d[\d,]*(?:\.\d+)?)\s?(k|M|B|%)?(?!\w)")
_UNITS = {"k": 1e3, "M": 1e6, "B": 1e9}
# Captions are files of the project; even so, they include no files and no HTML of their own.
_RST = {"file_insertion_enabled": False, "raw_enabled": False, "halt_level": 2, "report_level": 5}


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, and the number that it begins with, by which it is sorted."""

    text: str
    value: float | None


@dataclass(frozen=True)
class Table:
    """A table of text, as the page shows it."""

    header: list[str]
    rows: list[list[Cell]]

    @classmethod
    def of(cls, header: Sequence[str], rows: Iterable[Sequence[str]]) -> "Table":
        """Return a table of these texts."""
        return cls(list(header), [[Cell(text, leading_number(text)) for text in r] for r in rows])


@dataclass(frozen=True)
class Document:
    """A table's page: its title, and in order its tables and, as HTML, the text around them."""

    title: str
    blocks: list[Table | str]


def leading_number(text: str) -> float | None:
    """Return the number that a cell begins with, or that follows its "=", if any.

    For example, 2.8e6 of ``2.8 M ± 0.1`` and 2.6 of ``24.2 − 21.6 = +2.6``.
    """
    if not (found := _NUMBER.match(text.rpartition("= ")[2])):
        return None
    sign, digits, unit = found.groups()
    return float(digits.replace(",", "")) * _UNITS.get(unit, 1) * (-1 if sign in ("−", "-") else 1)


def read_document(path: Path) -> Document:
    """Read the Markdown of a table, whose first paragraph or heading is its title.

    HTML in the text is shown as text.

    Raises:
        FileNotFoundError: it is missing; the message names the target that makes it.
        ValueError: there is no title, or no table.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    nodes = SyntaxTreeNode(parser.parse(present(path).read_text(encoding="utf-8"))).children
    if not nodes or nodes[0].type not in ("paragraph", "heading"):
        raise ValueError(f"{path} does not begin with a title; make it again")
    blocks: list[Table | str] = []
    for node in nodes[1:]:
        if node.type == "table":
            header, *rows = [[_text(cell) for cell in row.children] for row in _rows(node)]
            blocks.append(Table.of(header, rows))
        else:
            blocks.append(parser.renderer.render(node.to_tokens(), parser.options, {}))
    if not any(isinstance(block, Table) for block in blocks):
        raise ValueError(f"{path} has no table; make it again")
    return Document(_text(nodes[0]), blocks)


def _rows(table: SyntaxTreeNode) -> Iterable[SyntaxTreeNode]:
    for part in table.children:  # thead and, unless it is empty, tbody
        yield from part.children


def _text(node: SyntaxTreeNode) -> str:
    (inline,) = node.children
    (token,) = inline.to_tokens()
    return "".join(" " if part.type == "softbreak" else part.content for part in token.children)


def read_caption(path: Path, config: Mapping[str, Any]) -> str:
    """Return a caption of Snakemake's report as HTML.

    Args:
        path: reStructuredText, in which ``{{ snakemake.config[...] }}`` is filled in.
        config: the run's config.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is not valid.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: write what the figure shows in it")
    text = path.read_text(encoding="utf-8")
    try:
        template = Environment(undefined=StrictUndefined).from_string(text)
        filled = template.render(snakemake=SimpleNamespace(config=config))
        return publish_parts(filled, writer="html5", settings_overrides=_RST)["body"]
    except (TemplateError, SystemMessage) as error:
        raise ValueError(f"{path} is not a valid caption: {error}") from None


def first_sentence(markup: str) -> str:
    """Return the first sentence of some HTML, as text."""
    text = " ".join(html.unescape(re.sub("<[^>]*>", "", markup)).split())
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
