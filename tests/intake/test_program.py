"""A notebook that is no longer as it was handed out: what runs, and what the record says."""

from __future__ import annotations

import json

import pytest

from autograder.intake.program import read_program


def with_ids(*cells: tuple[str, str], **more: object) -> bytes:
    """A notebook of code cells, each with its grade id ("" for none) and its text."""
    made = [
        {
            "cell_type": "code",
            "metadata": {"nbgrader": {"grade_id": i}} if i else {},
            "source": text,
            "outputs": [],
        }
        for i, text in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, **more}).encode()


def test_a_notebook_as_handed_out_needs_no_remark() -> None:
    raw = with_ids(("task1-a", "a = 1"), ("", "mine = 2"), ("task1-a-public", "a"), ("task2", "b"))
    program, notes = read_program("x.ipynb", raw)
    assert program.cells == ("a = 1", "mine = 2", "a", "b") and notes == ()


def test_copied_cells_run_as_they_stand_and_are_told() -> None:
    raw = with_ids(("task2-b", "b = 1"), ("task1-a", "a = 1"), ("task1-a", "a = 2"))
    program, notes = read_program("x.ipynb", raw)
    assert program.cells == ("b = 1", "a = 1", "a = 2")
    said = "copied or split cells (task1-a); all of them ran, and what comes last counts"
    assert notes == (f"x.ipynb: {said}",)


def test_otters_own_cells_are_no_work() -> None:
    start = '# Initialize Otter\nimport otter\ngrader = otter.Notebook("x.ipynb")'
    mixed = 'a = 1\ngrader.check("task1")'
    raw = with_ids(("", start), ("", "a = 0"), ("", 'grader.check("task1")'), ("", mixed))
    program, notes = read_program("x.ipynb", raw)
    assert program.cells == ("a = 0", mixed), "a cell with work in it stays whole"
    assert notes == ("x.ipynb: 2 of otter's own cells were left out",)


def test_format_3_is_told() -> None:
    cell = {"cell_type": "code", "input": ["a = 1"], "outputs": [], "language": "python"}
    raw = json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}).encode()
    program, notes = read_program("x.ipynb", raw)
    assert program.cells == ("a = 1",) and "notebook format 3" in notes[0]


@pytest.mark.parametrize("metadata", [None, [], {"nbgrader": 1}, {"nbgrader": {"grade_id": []}}])
def test_odd_metadata_is_no_id(metadata: object) -> None:
    cell = {"cell_type": "code", "metadata": metadata, "source": "a = 1"}
    program, notes = read_program("x.ipynb", json.dumps({"cells": [cell, cell]}).encode())
    assert program.cells == ("a = 1", "a = 1") and notes == ()


def test_a_notebook_under_a_scripts_name_is_a_notebook() -> None:
    program, notes = read_program("x.py", with_ids(("", "a = 1"), ("", "b = 2")))
    assert (program.kind, program.cells) == ("notebook", ("a = 1", "b = 2"))
    assert notes == ("x.py holds a notebook, and was read as one",)


@pytest.mark.parametrize(
    "line", ["!pip install torch", "%matplotlib inline", "get_ipython().system('ls')"]
)
def test_a_script_saved_from_a_notebook_runs_as_one_cell(line: str) -> None:
    text = f"# In[1]:\n{line}\na = 1\n"
    program, notes = read_program("x.py", text.encode())
    assert (program.kind, program.cells) == ("notebook", (text,))
    assert notes == ("x.py was saved from a notebook, and ran as one cell of it",)


@pytest.mark.parametrize(
    "text",
    ["x = (7\n  % 2)", '"""\n!ls\n"""', "try:\n    get_ipython()\nexcept NameError: 0", "{}"],
)
def test_a_plain_script_stays_a_script(text: str) -> None:
    program, notes = read_program("x.py", text.encode())
    assert (program.kind, program.cells, notes) == ("script", (text,), ())
