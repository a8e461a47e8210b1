"""Programs and masters as text: what is read, what is refused, what students do not get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.errors import SourceError, SubmissionError
from autograder.notebook import (
    SIZE_CAP,
    program_from_bytes,
    read_master,
    read_program,
    solved_source,
    student_source,
)

CODE: dict[str, object] = {
    "cell_type": "code",
    "metadata": {},
    "outputs": [],
    "execution_count": None,
}


def notebook(*sources: object, **extra: object) -> bytes:
    cells: list[object] = [{**CODE, "source": s} for s in sources]
    cells.insert(1, {"cell_type": "markdown", "metadata": {}, "source": "# text"})
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells, **extra}
    return json.dumps(whole).encode()


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


# -- programs ------------------------------------------------------------------------------------


def test_a_script_is_one_cell() -> None:
    program = program_from_bytes("a.py", "\ufeffx = 'ä'\r\ny = 1\r\n".encode())
    assert (program.kind, program.main) == ("script", "a.py")
    assert program.cells == ("x = 'ä'\ny = 1\n",)


def test_a_notebook_is_its_code_cells_in_order() -> None:
    program = program_from_bytes("a.ipynb", notebook("a = 1", ["b = 2\n", "c = 3"], "%matplotlib"))
    assert program.kind == "notebook"
    assert program.cells == ("a = 1", "b = 2\nc = 3", "%matplotlib")


def test_format_3_is_upgraded() -> None:
    cells = [
        {
            "cell_type": "code",
            "language": "python",
            "metadata": {},
            "outputs": [],
            "input": "o = 1",
        },
        {"cell_type": "heading", "level": 1, "metadata": {}, "source": "title"},
        {
            "cell_type": "code",
            "language": "python",
            "metadata": {},
            "outputs": [],
            "input": ["p = 2\n", "q = 3"],
        },
    ]
    sheets = [{"cells": cells, "metadata": {}}]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": sheets}
    assert program_from_bytes("a.ipynb", json.dumps(old).encode()).cells == (
        "o = 1",
        "p = 2\nq = 3",
    )


@pytest.mark.parametrize(
    ("name", "raw", "part"),
    [
        ("a.ipynb", b"", "not a notebook"),
        ("a.ipynb", b"{", "not a notebook"),
        ("a.ipynb", b"[]", "not a notebook"),
        ("a.ipynb", b'{"nbformat": 4}', "not a notebook"),
        ("a.ipynb", b'{"nbformat": 4, "cells": [1]}', "not a notebook"),
        ("a.ipynb", b"[" * 100_000, "not a notebook"),
        ("a.ipynb", notebook(" "), "no code"),
        ("a.py", b" \n", "no code"),
        ("a.py", b"x = '\xe4'", "not UTF-8 text (byte 5)"),
        ("a.py", b"#" * (SIZE_CAP + 1), "larger than 10 MiB"),
        ("a.pdf", b"%PDF", "neither"),
    ],
)
def test_what_is_no_program_is_refused_with_a_remedy(name: str, raw: bytes, part: str) -> None:
    with pytest.raises(SubmissionError) as e:
        program_from_bytes(name, raw)
    text = str(e.value)
    assert part in text and text.startswith(f"{name}: ") and e.value.remedy and "\n" not in text


def test_files_on_disk(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    assert read_program(tmp_path / "a.py").text == "x = 1"
    with pytest.raises(SubmissionError, match=r"cannot be read: No such file"):
        read_program(tmp_path / "b.py")
    (tmp_path / "big.py").write_bytes(b"#" * (SIZE_CAP + 5))
    with pytest.raises(SubmissionError, match="larger"):
        read_program(tmp_path / "big.py")


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
