"""The lines around an accusation: the right ones, and never more than text."""

from __future__ import annotations

import html
import random
import re

import pytest

from autograder.model import ErrorInfo, Program
from autograder.report.source import AROUND, WIDTH, excerpt, place_in

SCRIPT = Program("script", "x.py", ("\n".join(f"line_{k} = {k}" for k in range(1, 31)),))
NOTEBOOK = Program("notebook", "x.ipynb", ("a = 1", "b = 2\nc = 3"))


def plain(markup: str) -> str:
    """What a browser shows of a line."""
    assert not re.search(r"<(?!span class=\"t[bcdkns]\">|/span>)", markup), markup
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@pytest.mark.parametrize("line", [1, 2, 15, 29, 30])
def test_the_lines_around_the_one_that_is_meant(line: int) -> None:
    found = excerpt(SCRIPT, line, None)
    assert found is not None and found.where == f"line {line}"
    assert [one.number for one in found.lines if one.meant] == [line]
    first, last = max(1, line - AROUND), min(30, line + AROUND)
    assert [one.number for one in found.lines] == list(range(first, last + 1))
    for one in found.lines:
        assert plain(one.html) == one.text == f"line_{one.number} = {one.number}"


def test_a_cell_of_a_notebook() -> None:
    found = excerpt(NOTEBOOK, 2, 1)
    assert found is not None and found.where == "line 2 of code cell 2"
    assert [one.text for one in found.lines] == ["b = 2", "c = 3"]


@pytest.mark.parametrize(
    ("program", "line", "cell"),
    [
        (None, 1, None),
        (SCRIPT, None, None),
        (SCRIPT, 0, None),
        (SCRIPT, 31, None),
        (SCRIPT, 1, 0),
        (NOTEBOOK, 1, None),
        (NOTEBOOK, 1, 2),
        (NOTEBOOK, 1, -1),
        (NOTEBOOK, 2, 0),
    ],
)
def test_a_line_that_is_not_there_shows_nothing(
    program: Program | None, line: int | None, cell: int | None
) -> None:
    assert excerpt(program, line, cell) is None


def test_messages_name_their_place_as_errors_do() -> None:
    for line, cell in ((12, None), (3, 4)):
        said = f"your code raised {ErrorInfo('ValueError', 'no', line, cell)}"
        assert place_in(said) == (line, cell)
    assert place_in("it went wrong (line 7 of cell 2)") == (7, 1)
    assert place_in("a line 7 of words") is None and place_in("at line x") is None


def test_whatever_a_program_holds_it_is_shown_as_text() -> None:
    dice = random.Random(5)
    pieces = ["<script>", "</span>", "&amp;", "'", '"', '"""', "\n", "\t", "#", "f'{", "}", "\\"]
    pieces += ["\u202e", "\x00", "\x1b[31m", "\r\n", "\r", "\f", "lambda", "déf", "💥", "x" * 300]
    for _ in range(300):
        text = "".join(dice.choice(pieces) for _ in range(dice.randrange(1, 40)))
        count = len(re.sub("\r\n?", "\n", text).split("\n"))
        line = dice.randrange(1, count + 1)
        found = excerpt(Program("script", "x.py", (text,)), line, None)
        assert found is not None
        for one in found.lines:
            shown = plain(one.html)
            assert not re.search("[\u202e\x00\x1b]", shown) and len(shown) <= WIDTH + 2


def test_a_line_of_any_length_has_an_end() -> None:
    for cell in ("x" * 500_000, "'" + "y" * 90_000):
        found = excerpt(Program("script", "x.py", (cell,)), 1, None)
        assert found is not None and len(found.lines[0].html) < 400
        assert found.lines[0].text == plain(found.lines[0].html) == cell[:WIDTH] + " …"
