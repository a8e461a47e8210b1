"""Masters as text: what is read, what is refused, what students do not get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.authoring.master import (
    read_master,
    solved_source,
    student_source,
)
from autograder.errors import SourceError


def header(kind: str, name: str = "task1-x", points: float = 1) -> str:
    """A cell's first line, of the kinds that `read_master` tells apart."""
    grading = {
        "schema_version": 3,
        "grade_id": name,
        "solution": kind == "solution",
        "grade": kind != "solution",
        "locked": kind != "solution",
        "task": False,
    }
    if kind != "solution":
        grading["points"] = points
    tags = 'tags=["public"] ' if kind == "public" else ""
    return f"# %% {tags}nbgrader={json.dumps(grading)}"


SOLUTION = """\
def area(r):
    # given
    ### BEGIN SOLUTION
    secret = 3.14159
    return secret * r * r
    ### END SOLUTION
"""


# -- masters -------------------------------------------------------------------------------------


def master(tmp_path: Path, *cells: str) -> Path:
    path = tmp_path / "m.py"
    path.write_text("\n".join(cells), encoding="utf-8")
    return path


def test_a_master_has_its_kinds_lines_and_points(tmp_path: Path) -> None:
    path = master(
        tmp_path,
        "# %% [markdown]\n# # Title\n",
        "# %%\nimport math\n",
        header("solution"),
        SOLUTION,
        header("public", "task1-p", 0.5),
        "assert area(0) == 0\n",
        header("hidden", "task1-h", 2),
        "### BEGIN HIDDEN TESTS\ngrade('x')\n### END HIDDEN TESTS\n",
    )
    cells = read_master(path)
    assert [c.kind for c in cells] == ["markdown", "shared", "solution", "public", "hidden"]
    assert [c.points for c in cells] == [0, 0, 0, 0.5, 2]
    assert [c.grade_id for c in cells[2:]] == ["task1-x", "task1-p", "task1-h"]
    lines = path.read_text().splitlines()
    for cell in cells[1:]:
        assert lines[cell.line - 1] == cell.source.splitlines()[0]


def test_a_solution_becomes_a_stub_at_its_own_indentation() -> None:
    assert student_source(SOLUTION) == (
        "def area(r):\n    # given\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    )
    assert "secret * r" in solved_source(SOLUTION) and "###" not in solved_source(SOLUTION)


@pytest.mark.parametrize(
    ("given", "solution", "stub"),
    [
        ("STEP = None\nNAMES = {1: None}", 'NAMES = {1: "a"}\nSTEP = 47', False),
        ("STEP = None", "STEP = 47\nOTHER = 1", True),
        ("STEP = None", "STEP = 47\nprint(STEP)", True),
        ("", "STEP = 47", True),
        ("STEP = None\nprint(1)", "STEP = 47", True),
    ],
)
def test_names_that_are_given_to_be_filled_in_need_no_stub(
    given: str, solution: str, stub: bool
) -> None:
    source = f"{given}\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    shown = student_source(source)
    assert ("raise NotImplementedError()" in shown) is stub
    assert "47" not in shown and shown.startswith(given)


def test_two_solutions_in_a_cell_make_two_stubs() -> None:
    twice = SOLUTION + "\n" + SOLUTION
    stub = student_source(twice)
    assert stub.count("NotImplementedError") == 2 and "secret" not in stub
    compile(stub, "stub", "exec")


def test_hidden_tests_disappear_without_a_stub() -> None:
    text = "shown = 1\n### BEGIN HIDDEN TESTS\ngrade('x')\n### END HIDDEN TESTS"
    assert student_source(text) == "shown = 1"


@pytest.mark.parametrize(
    ("cells", "line", "part"),
    [
        ([header("solution"), "### BEGIN SOLUTION\nx = 1\n"], 2, "without an END"),
        ([header("solution"), "x = 1\n### END SOLUTION\n"], 3, "without a BEGIN"),
        (
            [header("solution"), "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n"],
            3,
            "inside that of line 2",
        ),
        ([header("solution"), "x = 1\n"], 2, "without ### BEGIN SOLUTION"),
        ([header("hidden"), "grade('x')\n"], 2, "without ### BEGIN HIDDEN TESTS"),
        (["# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n"], 2, "in a shared cell"),
        (
            [header("public"), "x\n### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS\n"],
            3,
            "in a public cell",
        ),
        (
            [header("hidden"), "### BEGIN HIDDEN TESTS\nx\n### END SOLUTION\n"],
            4,
            "in a hidden cell",
        ),
        ([header("solution"), "x = 1\n## begin solution\nx = 1\n"], 3, "nearly a marker"),
        ([header("solution"), "x = 1  ### BEGIN SOLUTION\n"], 2, "nearly a marker"),
        ([header("solution", "a b"), SOLUTION], 2, "malformed"),
        ([header("solution", ""), SOLUTION], 2, "missing"),
        ([header("solution"), SOLUTION, header("solution"), SOLUTION], 10, "used twice"),
        (["# %% [raw]\n# x\n"], 2, "raw cells"),
    ],
)
def test_a_malformed_master_is_refused_by_file_and_line(
    tmp_path: Path, cells: list[str], line: int, part: str
) -> None:
    path = master(tmp_path, *cells)
    with pytest.raises(SourceError) as e:
        read_master(path)
    assert part in str(e.value) and e.value.remedy
    assert (e.value.where, e.value.line) == (str(path), line)


def test_a_master_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_master(tmp_path / "none.py")
