"""The lines of a student's program around the one that a message speaks of, coloured for HTML.

Theory. The code is a stranger's: each piece is cleaned and escaped by itself, and the only markup
is a `span` with one of six classes of ours, so no text of theirs can become a tag. Colour helps the
eye and says nothing that the words do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Token

from ..model import Program
from ..text import clean

AROUND = 4
"""Lines shown on either side."""
WIDTH, LEXED = 240, 100_000
"""Characters of a line that are shown, and of a cell up to which it is coloured."""
_PLACE = re.compile(r"(?: at |\()line (\d{1,6})(?: of (?:code )?cell (\d{1,4}))?(?!\d)")
_CLASSES = (
    (Token.Comment, "tc"),
    (Token.Literal.String, "ts"),
    (Token.Keyword, "tk"),
    (Token.Operator.Word, "tk"),
    (Token.Literal.Number, "tn"),
    (Token.Name.Function, "td"),
    (Token.Name.Class, "td"),
    (Token.Name.Builtin, "tb"),
)


@dataclass(frozen=True)
class Line:
    """One line: its number, its text, the same as HTML, and whether it is the one meant."""

    number: int
    text: str
    html: Markup
    meant: bool


@dataclass(frozen=True)
class Excerpt:
    """Lines of a program and where they stand, in words."""

    where: str
    lines: tuple[Line, ...]


def place_in(message: str) -> tuple[int, int | None] | None:
    """The line, and the cell counted from 0, that a message of a check names; None where none."""
    found = _PLACE.search(message)
    if found is None:
        return None
    return int(found[1]), None if found[2] is None else int(found[2]) - 1


def excerpt(program: Program | None, line: int | None, cell: int | None) -> Excerpt | None:
    """The lines around `line` of the program, or of its code cell `cell`; None where the program
    has no such line, or where a notebook's cell is not said.
    """
    if program is None or line is None or (program.kind == "notebook") != (cell is not None):
        return None
    at = cell or 0
    if not 0 <= at < len(program.cells):
        return None
    text = re.sub("\r\n?", "\n", program.cells[at])
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    first, last = max(1, line - AROUND), min(len(lines), line + AROUND)
    while first < line and not lines[first - 1].strip():
        first += 1
    while last > line and not lines[last - 1].strip():
        last -= 1
    # what comes before decides whether a line is within a string; what comes after does not
    html = coloured("\n".join(lines[:last]))
    where = f"line {line}" if cell is None else f"line {line} of code cell {cell + 1}"
    shown = tuple(
        Line(n, _shown(lines[n - 1]), html[n - 1], n == line) for n in range(first, last + 1)
    )
    return Excerpt(where, shown)


def _shown(text: str) -> str:
    text = clean(text.expandtabs(4), lines=True)
    return text if len(text) <= WIDTH else text[:WIDTH] + " …"


def coloured(text: str) -> list[Markup]:
    """Each line of the program `text` as HTML: coloured, cleaned, and cut at `WIDTH`."""
    if len(text) > LEXED:
        return [escape(_shown(line)) for line in text.split("\n")]
    lines: list[list[str]] = [[]]
    widths = [0]
    for name, piece in _pieces(text):
        if piece == "\n":
            lines.append([])
            widths.append(0)
            continue
        room = WIDTH - widths[-1]
        if room <= 0:
            continue
        shown = clean(piece.expandtabs(4), lines=True)
        widths[-1] += len(shown)
        if len(shown) > room:
            shown = shown[:room] + " …"
        html = str(escape(shown))
        lines[-1].append(f'<span class="{name}">{html}</span>' if name else html)
    return [Markup("".join(parts)) for parts in lines]  # noqa: S704 - each piece is escaped


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(class, piece) of each token, cut at the ends of lines, which are pieces of their own."""
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        name = next((c for group, c in _CLASSES if kind in group), "")
        for k, piece in enumerate(value.split("\n")):
            if k:
                yield "", "\n"
            if piece:
                yield name, piece
