"""Which of the numbers that a program prints are words of its text, and no figures.

Theory. "Accuracy on the 10000 test images: 93 %" holds one number that was computed and one that
was written down. What was written down stands in the program's text: in a string, or in the part of
a format string between two places to be filled. So where such a piece, with a number and a word in
it, is found in a printed line, its numbers are none of the run's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

PIECES_CAP, PIECE_CAP = 400, 300
_FILLED = re.compile(r"\{[^{}]*\}|%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]")
"""Places to be filled, of `str.format` and of `%`."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]{2}")


def pieces(cells: Iterable[str]) -> list[str]:
    """The pieces of a program's strings that hold a number and a word."""
    found: dict[str, None] = {}
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for piece in _FILLED.split(node.value[: 10 * PIECE_CAP]):
                    for line in piece.splitlines():
                        if _NUMBER.search(line) and _WORD.search(line) and len(line) <= PIECE_CAP:
                            found.setdefault(line)
    return list(found)[:PIECES_CAP]


def written(line: str, known: Iterable[str]) -> list[list[int]]:
    """Where in a printed line numbers stand that are part of a known piece: [begin, end]."""
    found = []
    for piece in known:
        at = line.find(piece)
        while at >= 0:
            for number in _NUMBER.finditer(piece):
                begin, end = at + number.start(), at + number.end()
                around = line[max(0, begin - 1) : begin] + line[end : end + 1]
                if not any(c.isdigit() for c in around):  # "top 1" is no piece of "top 10"
                    found.append([begin, end])
            at = line.find(piece, at + 1)
    return found


def mark(events: Iterable[dict[str, Any]], cells: Iterable[str]) -> None:
    """Note in each print event which of its numbers were `written` down in the program's text."""
    known = pieces(cells)
    for event in events:
        if event["k"] == "print" and known:
            event["written"] = written(str(event["text"]), known)
