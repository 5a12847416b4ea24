"""Any text, such as the name of a class, for Markdown, LaTeX and figures."""

import re
import sys
import unicodedata
from functools import cache

from matplotlib import font_manager

_LATEX = {
    "\\": r"\textbackslash{}",
    **{symbol: f"\\{symbol}" for symbol in "{}$&#%_"},
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}
_FIRST = "DejaVu Sans"


def latex(text: str) -> str:
    """Return text for LaTeX: a loss such as L_KD_S as mathematics, all else escaped."""
    parts = re.split(r"\b(L_\w+)", text)
    return "".join(_loss(part) if i % 2 else _plain(part) for i, part in enumerate(parts))


def _loss(name: str) -> str:
    index = name.removeprefix("L_").replace("_", r"\_")
    return rf"$L_{{\mathrm{{{index}}}}}$"


def _plain(text: str) -> str:
    return "".join(_LATEX.get(symbol, symbol) for symbol in text)


def cell(text: str) -> str:
    """Return text for a cell of a Markdown table."""
    return re.sub(r"([\\|*`<>\[\]])", r"\\\1", " ".join(text.split()))


def drawn(text: str) -> str:
    """Return text for a figure: no mathematics, and no character that no font has.

    Those are written as their code points, e.g. U+732B.
    """
    plain = "".join(
        symbol
        if symbol == "\n" or symbol.isspace() or _fonts_of(symbol)
        else f"U+{ord(symbol):04X}"
        for symbol in unicodedata.normalize("NFC", text)
        if symbol == "\n" or unicodedata.category(symbol)[0] != "C"
    )
    return plain.replace("$", r"\$")


def fonts(*texts: str) -> list[str]:
    """Return the fonts that draw these texts, the default one first, others only if installed."""
    found = [_FIRST]
    for symbol in dict.fromkeys("".join("".join(texts).split())):
        names = _fonts_of(symbol)
        if names and not set(names) & set(found):
            found.append(names[0])
    return found


@cache
def _fonts_of(symbol: str) -> tuple[str, ...]:
    if ord(symbol) in _characters(font_manager.findfont(_FIRST)):
        return (_FIRST,)
    found = sorted(name for file, name in _others().items() if ord(symbol) in _characters(file))
    if not found:
        print(f"warning: no installed font has {symbol!r}", file=sys.stderr)
    return tuple(found)


@cache
def _others() -> dict[str, str]:
    """Return the files and names of all fonts, including those that Matplotlib has not cached."""
    manager = font_manager.fontManager
    known = {font.fname for font in manager.ttflist}
    for file in set(font_manager.findSystemFonts()) - known:
        try:
            manager.addfont(file)
        except (OSError, RuntimeError):  # a format that Matplotlib cannot read
            continue
    # Matplotlib ships a font that draws a box for every character.
    fonts = (font for font in manager.ttflist if not font.name.startswith("Last Resort"))
    return {font.fname: font.name for font in fonts}


@cache
def _characters(file: str) -> frozenset[int]:
    try:
        return frozenset(font_manager.get_font(file).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
