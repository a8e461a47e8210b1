"""How a student's program is loaded: `inside/program.py` and `inside/notebook_shell.py`.

Each test runs in a fork, because loading changes the process it happens in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.inside.exceptions import MissingName, StopProgram
from autograder.inside.program import Program
from tests.loading import in_fork, notebook, script


def test_a_script_runs_as_main_with_its_file_name(tmp_path: Path) -> None:
    program = script("import sys\nseen = (__name__, __file__, sys.argv[0])")
    assert in_fork(program, lambda p: p.get("seen"), tmp_path) == ["__main__", "work.py", "work.py"]


def test_what_a_script_raises_ends_it_and_is_located(tmp_path: Path) -> None:
    program = script("a = 1\ndef f():\n    return 1 / 0\nf()\nb = 2")
    errors, names = in_fork(program, lambda p: (p.errors, sorted(p.namespace)), tmp_path)
    assert (errors[0]["type"], errors[0]["line"]) == ("ZeroDivisionError", 3)
    assert "a" in names and "b" not in names


@pytest.mark.parametrize(("code", "errors"), [("0", 0), ("None", 0), ("3", 1)])
def test_sys_exit_is_an_error_only_with_a_code(tmp_path: Path, code: str, errors: int) -> None:
    assert len(in_fork(script(f"raise SystemExit({code})"), lambda p: p.errors, tmp_path)) == errors


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    (error,) = in_fork(script("x = 1\ndef f(:\n    pass"), lambda p: p.errors, tmp_path)
    assert (error["type"], error["line"]) == ("SyntaxError", 2)


def test_a_cell_that_raises_does_not_stop_the_next(tmp_path: Path) -> None:
    program = notebook("x = 1", "1 / 0", "def f(:", "x += 1")
    x, errors = in_fork(program, lambda p: (p.get("x"), p.errors), tmp_path)
    assert x == 2
    assert [(e["type"], e["cell"], e["line"]) for e in errors] == [
        ("ZeroDivisionError", 1, 1),
        ("SyntaxError", 2, 1),
    ]


def test_notebook_comforts_work(tmp_path: Path) -> None:
    program = notebook(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
        "import asyncio\nawait asyncio.sleep(0)\nx = 1",
        "%time x += 1",
        "display(x)\nx",
        "files = !ls\n!touch made\n%pip install nothing",
        "%%bash\ntouch made",
    )
    x, errors = in_fork(program, lambda p: (p.get("x"), p.errors), tmp_path)
    assert (x, errors) == (2, [])
    assert not (tmp_path / "made").exists()


def test_input_answers_with_an_empty_line(tmp_path: Path) -> None:
    program = script("name = input('your name? ')")
    assert in_fork(program, lambda p: p.get("name"), tmp_path) == ""
    assert (tmp_path / "out").read_text() == "your name? \n"


def test_colab_is_absent_for_a_guarded_import_and_harmless_for_a_bare_one(tmp_path: Path) -> None:
    guarded = (
        "try:\n    import google.colab\n    there = True\nexcept ImportError:\n    there = False"
    )
    assert in_fork(script(guarded), lambda p: p.get("there"), tmp_path) is False
    bare = "from google.colab import drive, files\ndrive.mount('/content/drive')\nok = True"
    assert in_fork(script(bare), lambda p: p.get("ok"), tmp_path) is True


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return 1\nx = f()",
        "if True:\n    def f():\n        return 1\nx = f()",
        "g = lambda: 1\nf = g\nx = f()",
        "f: object = lambda: 1\nx = f()",
        "def main():\n    return f()\ndef f():\n    return 1\nx = main()",
    ],
)
def test_a_definition_is_wrapped_the_moment_it_is_made(tmp_path: Path, text: str) -> None:
    for program in (
        script(text),
        notebook(*text.split("\nx = "), "x = " + text.rsplit("x = ", maxsplit=1)[-1]),
    ):
        if program.kind == "notebook":
            program.cells = [program.cells[0], program.cells[-1]]
        program.on_definition("f", lambda f: lambda: f() + 41)
        assert in_fork(program, lambda p: p.get("x"), tmp_path) == 42


@pytest.mark.parametrize(
    "bound", ["f, g = made, 1", "[g, (f, *_)] = 1, (made, 2)", "f = g = made", "f: object = made"]
)
def test_whatever_binds_a_name_is_hooked(bound: str, tmp_path: Path) -> None:
    program = script(f"made = lambda: 1\n{bound}\nx = f()")
    program.on_definition("f", lambda f: lambda: f() + 41)
    assert in_fork(program, lambda p: p.get("x"), tmp_path) == 42


def test_a_hook_can_stop_the_program_past_a_bare_except_exception(tmp_path: Path) -> None:
    text = (
        "n = 0\nwhile True:\n    n += 1\n    try:\n        f()\n    except Exception:\n        pass"
    )

    def stop(_: object) -> Any:
        def stopping() -> None:
            raise StopProgram

        return stopping

    for program in (script("def f(): pass\n" + text), notebook("def f(): pass", text, "n = 99")):
        program.on_definition("f", stop)
        look = lambda p: (p.get("n"), p.errors, p.stopped)  # noqa: E731
        assert in_fork(program, look, tmp_path) == [1, [], True]


def test_rebinding_follows_aliases_but_not_equal_plain_values() -> None:
    program = script("")
    old = object()
    program.namespace.update(model=old, net=old, n=3, m=3)
    program.rebind({"model": "new", "n": 4})
    assert [program.namespace[k] for k in ("model", "net", "n", "m")] == ["new", "new", 4, 3]


def test_a_missing_name_says_where_the_program_stopped(tmp_path: Path) -> None:
    def look(program: Program) -> str:
        try:
            program.get("evaluate")
        except MissingName as e:
            return str(e)
        return ""

    said = in_fork(script("x = 1\nraise ValueError('no')"), look, tmp_path)
    assert said == "'evaluate' is not defined; the program stopped at line 2: ValueError: no"


def test_modules_beside_the_program_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("y = 7")
    assert in_fork(script("from helpers import y"), lambda p: p.get("y"), tmp_path) == 7


def test_an_error_whose_text_raises_is_still_reported(tmp_path: Path) -> None:
    text = "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E"
    (error,) = in_fork(script(text), lambda p: p.errors, tmp_path)
    assert error["type"] == "E" and "cannot be shown" in error["message"]
