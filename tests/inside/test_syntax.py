"""Text that is no Python is named as that, with line, character and remedy: `inside/syntax.py`."""

# ruff: noqa: RUF001 - characters that look like others are what this is about

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.master import reference
from autograder.inside.exceptions import MissingName
from autograder.inside.program import Program
from autograder.inside.syntax import explain, meant
from autograder.model import Program as Work
from autograder.model import Result, Status, Submission
from tests.loading import in_fork, notebook, script
from tests.samples import ROOT, QuickGrader

BROKEN = [
    ("x = 1\u00a0+ 2", 1, "number 6 of the line is U+00A0 NO-BREAK SPACE", "type a plain blank"),
    ("y = 1\n\u00a0\u00a0x = 2", 2, "number 1 of the line is U+00A0", "type a plain blank"),
    ("x = 1\u2003+ 2", 1, "U+2003 EM SPACE", "type a plain blank"),
    ("x = 1\u202f+ 2", 1, "U+202F NARROW NO-BREAK SPACE", "type a plain blank"),
    ("x\u200b = 1", 1, "number 2 of the line is U+200B ZERO WIDTH SPACE", "delete it"),
    ("a = 1\n\ufeffb = 2", 2, "U+FEFF ZERO WIDTH NO-BREAK SPACE", "delete it"),
    ("x = 1 +\u00ad 2", 1, "U+00AD SOFT HYPHEN", "delete it"),
    ("print(“hello”)", 1, "'“' (U+201C LEFT DOUBLE QUOTATION MARK)", 'type " there'),
    ("print(„hallo“)", 1, "'„' (U+201E DOUBLE LOW-9 QUOTATION MARK)", 'type " there'),
    ("print(‘hello’)", 1, "'‘' (U+2018 LEFT SINGLE QUOTATION MARK)", "type ' there"),
    ("print(«hello»)", 1, "'«' (U+00AB", 'type " there'),
    ('print("hello”)', 1, "'”' (U+201D RIGHT DOUBLE QUOTATION MARK)", 'type " there'),
    ("x = 3 − 2", 1, "'−' (U+2212 MINUS SIGN)", "type - there"),
    ("x = 3 – 2", 1, "'–' (U+2013 EN DASH)", "type - there"),
    ("x = 3 × 2", 1, "'×' (U+00D7 MULTIPLICATION SIGN)", "type * there"),
    ("x = f（1）", 1, "'（' (U+FF08 FULLWIDTH LEFT PARENTHESIS)", "type ( there"),
    ("for i in range(3)：\n    pass", 1, "'：' (U+FF1A FULLWIDTH COLON)", "type : there"),
    ("f(1，2)", 1, "'，' (U+FF0C FULLWIDTH COMMA)", "type , there"),
    ("if a ≤ b:\n    pass", 1, "'≤' (U+2264 LESS-THAN OR EQUAL TO)", "type <= there"),
    ("a = b → c", 1, "'→' (U+2192 RIGHTWARDS ARROW)", "type -> there"),
    ("x = 5€", 1, "'€' (U+20AC EURO SIGN)", "replace it"),
    ("if x:\n\ty = 1\n        z = 2", 3, "inconsistent use of tabs", "four blanks and no tabs"),
    ("if x:\n        y = 1\n\tz = 2", 3, "inconsistent use of tabs", "four blanks and no tabs"),
    ("def f():\n    a = 1\n\tb = 2", 3, "indent", "four blanks and no tabs"),
    ("def f(x):\n    return (x +", 2, "'(' was never closed", "complete it"),
    ("def f(x):\n", 1, "expected an indented block", "complete it"),
    ("x = {'a': [1, 2}", 1, "does not match", ""),
    ("def f(:\n    pass", 1, "invalid syntax", ""),
    ("print 'x'", 1, "Missing parentheses", ""),
]


@pytest.mark.parametrize(("text", "line", "what", "remedy"), BROKEN)
def test_a_syntax_error_has_line_character_and_remedy(
    text: str, line: int, what: str, remedy: str, tmp_path: Path
) -> None:
    for program in (script(text), notebook("ok = 1", text)):
        (error,) = in_fork(program, lambda p: p.errors, tmp_path)
        assert error["type"] in ("SyntaxError", "IndentationError", "TabError")
        if error["message"].startswith("incomplete input"):  # IPython's word for it
            what = "incomplete input"
        assert error["line"] == line and what in error["message"] and remedy in error["message"]
        assert error["cell"] == (1 if program.kind == "notebook" else None)


@pytest.mark.parametrize(
    "text", ["x = 'a\u00a0b “c”'", "# “quoted” – and so on", "naïve = 1", "α = 0.1", '"""»«"""']
)
def test_what_python_reads_is_no_error(text: str, tmp_path: Path) -> None:
    for program in (script(text), notebook(text)):
        assert in_fork(program, lambda p: p.errors, tmp_path) == []


def test_a_comment_is_not_blamed_for_what_is_wrong_beside_it() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("f(1, 2  # “x” – y", "<t>", "exec")
    assert "U+" not in explain(caught.value)
    assert meant("a") is None and meant("\u3000") == " " and meant("ｘ") == "x"


def missing(name: str) -> Any:
    def look(program: Program) -> Any:
        try:
            program.get(name)
        except MissingName as e:
            return str(e), e.cause and e.cause["type"]
        return None

    return look


def test_a_name_in_code_that_cannot_be_read_is_missing_for_that_reason(tmp_path: Path) -> None:
    text = "def evaluate():\n    return 1\u00a0+ 1\n"
    _, cause = in_fork(script(text), missing("evaluate"), tmp_path)
    assert cause == "SyntaxError"
    program = notebook("x = 1", text)
    _, cause = in_fork(program, missing("evaluate"), tmp_path)
    assert cause == "SyntaxError"
    said, cause = in_fork(program, missing("train"), tmp_path)  # it stands nowhere
    assert cause is None and said.startswith("'train' is not defined")


def test_letters_of_other_alphabets_are_told(tmp_path: Path) -> None:
    text = "def evalu\u0430te():\n    return 1\n"
    said, cause = in_fork(script(text), missing("evaluate"), tmp_path)
    assert cause is None and "U+0430 CYRILLIC SMALL LETTER A" in said
    errors = in_fork(script("loss = 1\nprint(l\u043ess)"), lambda p: p.errors, tmp_path)
    assert "U+043E CYRILLIC SMALL LETTER O" in errors[0]["message"] and errors[0]["line"] == 2


def test_a_module_beside_the_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("y = 1\nx = 1\u00a0+ 2\n")
    for program in (script("import helpers"), notebook("import helpers")):
        (error,) = in_fork(program, lambda p: p.errors, tmp_path)
        assert (
            error["message"].startswith("in helpers.py, line 2: ") and "U+00A0" in error["message"]
        )
        assert error["line"] == 1


# -- in a box --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


def graded(grader: QuickGrader, assignment: str, kind: str, mark: str) -> Result:
    """The result of the reference with a blank before `mark` that is none."""
    spec = grader.assignment(assignment)
    work = reference(ROOT / "source" / assignment, spec, kind)
    assert mark in work.text
    cells = tuple(c.replace(mark, f"\u00a0{mark}", 1) for c in work.cells)
    broken = Work(work.kind, work.main, cells)
    return grader.grade(Submission("ada", assignment, broken, {})).result


MARKS = {
    "04-training-loop": "model.train()",
    "05-five-beats": "best_acc = 0.0",
    "06-line-by-line": "import torch",
    "08-schedule-and-resume": "return",
}


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("assignment", MARKS)
def test_a_script_that_cannot_be_read_is_told_so_by_every_check(
    grader: QuickGrader, assignment: str
) -> None:
    result = graded(grader, assignment, "script", MARKS[assignment])
    assert result.status == "graded" and result.bugs == () and result.score == 0
    for check in result.checks:
        assert check.status is Status.ERROR
        assert "SyntaxError at line" in check.message and "U+00A0" in check.message


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("assignment", MARKS)
def test_a_cell_that_cannot_be_read_is_named_where_its_work_is_missing(
    grader: QuickGrader, assignment: str
) -> None:
    result = graded(grader, assignment, "notebook", MARKS[assignment])
    assert result.status == "graded" and result.bugs == ()
    assert any("SyntaxError" in c.message and "U+00A0" in c.message for c in result.checks)
