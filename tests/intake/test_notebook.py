"""Notebook files as tools write them, and as nobody's tool writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.errors import SubmissionError
from autograder.intake import notebook
from autograder.intake.notebook import read_cells

CELL = {"cell_type": "code", "metadata": {}, "source": ["a = 1\n", "b = 2"]}


def book(*cells: Any, **more: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, **more}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        book(CELL),
        b"\xef\xbb\xbf" + book(CELL),
        book(CELL).decode().encode("utf-16"),
        book({**CELL, "source": "a = 1\nb = 2"}),
        book(CELL, metadata={"kernelspec": {"language": "python"}}, nbformat_minor=0),
        book(CELL, metadata={"language_info": {"name": "ipython"}, "vscode": {"x": [1]}}),
        book({**CELL, "metadata": None}, {"cell_type": "markdown", "source": 3}),
        json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": "a = 1\nb = 2"}]}]})
        .encode(),
    ],
)  # fmt: skip
def test_what_tools_write_is_read(raw: bytes) -> None:
    cells, _ = read_cells("x.ipynb", raw)
    assert [c.text for c in cells] == ["a = 1\nb = 2"]


@pytest.mark.parametrize("empty", [None, "", []])
def test_an_empty_cell_is_empty(empty: object) -> None:
    assert [c.text for c in read_cells("x.ipynb", book({**CELL, "source": empty}))[0]] == [""]


def nested(depth: int) -> bytes:
    return b'{"cells": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b" ", "is empty"),
        (b"[]", "it has no cells"),
        (b'{"cells": 5}', "it has no cells"),
        (b'{"cells": "code"}', "it has no cells"),
        (b'{"worksheets": [{"cells": 5}]}', "a worksheet has no cells"),
        (b'{"worksheets": [5]}', "a worksheet has no cells"),
        (book("a = 1"), "its cell 1 is no cell"),
        (book(CELL, None), "its cell 2 is no cell"),
        (book({**CELL, "source": 5}), "its cell 1 holds no text"),
        (book({**CELL, "source": {"a": 1}}), "its cell 1 holds no text"),
        (book({**CELL, "source": ["a", 1]}), "its cell 1 holds no text"),
        (b'{"cells": [], "cells": [1]}', '"cells" stands twice'),
        (b'{"cells": [{"cell_type": "code", "source": "a", "source": "b"}]}', '"source" stands'),
        (nested(100_000), "JSON cannot be read"),
        (b'{"cells": [1' + b"0" * 5000 + b"]}", "JSON cannot be read"),
        (b"\xff\xfe\xff\xff{}", "JSON cannot be read"),
        (b'{\n<<<<<<< HEAD\n"cells": []\n', "marks of a merge"),
        (book(CELL, metadata={"kernelspec": {"language": "R"}}), "is a notebook in r"),
        (book(*[0] * 5001), "has 5001 cells, more than 5000"),
    ],
    ids=range(19),
)
def test_what_no_tool_writes_is_refused_in_one_line(raw: bytes, why: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        read_cells("x.ipynb", raw)
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_made_to_exhaust_memory_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = book(CELL, metadata={"x": [[]] * notebook.VALUE_CAP})

    def parse(*_: object, **__: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(json, "loads", parse)
    with pytest.raises(SubmissionError, match="lists and objects, more than 1,000,000"):
        read_cells("x.ipynb", raw)


def test_a_key_twice_where_nobody_reads_it_does_no_harm() -> None:
    text = book(CELL).decode().replace('"metadata": {},', '"outputs": 1, "outputs": 2,', 1)
    assert len(read_cells("x.ipynb", text.encode())[0]) == 1


@pytest.mark.parametrize("odd", [[], {}, 5, True, "x" * 300, None])
def test_an_id_that_is_none_is_no_id(odd: object) -> None:
    cell = {**CELL, "id": odd, "metadata": {"id": odd, "nbgrader": {"grade_id": odd}}}
    (found,) = read_cells("x.ipynb", book(cell))[0]
    assert (found.grade_id, found.cell_id) == ("", "")


def test_ids_and_roles_are_read() -> None:
    grading = {"grade_id": "task1", "solution": True}
    cells, _ = read_cells(
        "x.ipynb",
        book(
            {**CELL, "id": "abc", "metadata": {"nbgrader": grading}},
            {**CELL, "metadata": {"id": "colab", "nbgrader": {"grade": True, "grade_id": "t"}}},
            {"cell_type": "markdown", "metadata": {"nbgrader": grading}, "source": "# text"},
            {"cell_type": "markdown", "metadata": {}, "source": "# text"},
        ),
    )
    assert [(c.grade_id, c.cell_id, c.role, c.code) for c in cells] == [
        ("task1", "abc", "solution", True),
        ("t", "colab", "test", True),
        ("task1", "", "solution", False),
    ]
