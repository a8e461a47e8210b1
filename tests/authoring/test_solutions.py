"""Solutions after the deadline: by task, in three styles, no hidden test, and none too early."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from autograder.authoring import solutions as of
from autograder.authoring.leaks import LeakError
from autograder.authoring.master import master_path, read_master
from autograder.cli.main import app
from autograder.course import config
from autograder.results import files
from tests.report.test_pages import EVIL, Tags, check, result

ROOT = Path(__file__).resolve().parents[2]
IDS = config.course(ROOT).assignments
A = "06-line-by-line"


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def run(*words: str | Path) -> Result:
    done = CliRunner().invoke(app, [str(w) for w in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one assignment, due far in the future, with an extension beyond that."""
    root = tmp_path / "course"
    for part in ("source", "assignments"):
        shutil.copytree(ROOT / part / A, root / part / A)
    due(root, "2000-01-01T00:00:00+01:00")
    return root


def due(root: Path, when: str, extension: str = "") -> None:
    told: dict[str, object] = {"course": "C", "assignments": [A], "due": {A: when}}
    if extension:
        told["late"] = {"extensions": {A: {"anna": extension}}}
    (root / "grading_config.yml").write_text(yaml.safe_dump(told))


def named(root: Path, assignment: str) -> tuple[config.Assignment, of.Solutions]:
    spec = config.assignment(root / "assignments" / assignment / "assignment.yml")
    return spec, of.solutions(root, spec)


@pytest.mark.parametrize("assignment", IDS)
def test_three_styles_solve_every_task_and_show_no_hidden_test(assignment: str) -> None:
    spec, found = named(ROOT, assignment)
    reference, *others = found.styles
    assert reference.name == of.REFERENCE and len({s.name for s in found.styles}) == 3
    assert list(found.tasks) == list(reference.tasks)
    filled = [n for style in others for n in found.tasks if style.tasks.get(n)]
    assert len(filled) >= 2 * len(found.tasks) - 4, "06 leaves it open how some values are called"
    assert len(filled) == 2 * len(found.tasks) or assignment == A
    assert 0 not in reference.tasks
    text = "\n".join(t for style in found.styles for t in style.tasks.values())
    for mark in ("### BEGIN", "### END", "raise NotImplementedError", "autograder", "# %%"):
        assert mark not in text
    of.refuse_hidden(ROOT, spec, found, text.encode())
    for name in {n for s in found.styles for n in s.tasks}:
        for style in found.styles:
            compile(style.tasks.get(name, ""), style.name, "exec")


def test_all_of_a_sample_stands_somewhere_and_once() -> None:
    cells = ["import torch\n", "def half(x):\n    return x / 2\n\n\nA = 1; B = half(A)\nprint(B)\n"]
    found = of.by_task([*cells, "def c():\n    return B"], {"B": 1, "c": 2})
    assert found == {
        0: "import torch",
        1: "def half(x):\n    return x / 2\n\n\nA = 1; B = half(A)\nprint(B)",
        2: "def c():\n    return B",
    }


@pytest.mark.parametrize(
    ("cells", "names", "found"),
    [
        (["%pip install x\na = 1"], {"a": 3}, {3: "#%pip install x\na = 1"}),
        (["a = (\n"], {"a": 3}, {0: "a = (\n".strip("\n")}),
        (["# %% [markdown]\n# # Task 3\n\n# %%\n# mine\na = 1"], {"a": 3}, {3: "# mine\na = 1"}),
        (["@no\ndef a():\n    pass"], {"a": 3}, {3: "@no\ndef a():\n    pass"}),
        (["def m():\n    global a\n    a = 1"], {"a": 3}, {3: "def m():\n    global a\n    a = 1"}),
        (["for k in (1, 2):\n    a = k"], {"a": 3}, {3: "for k in (1, 2):\n    a = k"}),
        (["def b():\n    a = 1", "a = b()"], {"a": 3}, {3: "def b():\n    a = 1\na = b()"}),
        (["x = 1", "y = x", "a = y"], {"a": 3}, {3: "x = 1\ny = x\na = y"}),
    ],
)  # fmt: skip
def test_where_a_statement_stands(
    cells: Sequence[str], names: dict[str, int], found: dict[int, str]
) -> None:
    assert of.by_task(cells, names) == found


def test_a_hidden_test_in_a_sample_is_refused(course: Path) -> None:
    spec = config.assignment(course / "assignments" / A / "assignment.yml")
    cells = read_master(master_path(course / "source" / A, spec))
    found = of.solutions(course, spec)
    for secret in (spec.secret, str(spec.seed), "from autograder.live import grade"):
        told = of.Style("x", {1: f"a = '{secret}'"})
        with pytest.raises(LeakError):
            of.refuse_hidden(course, spec, of.Solutions(found.tasks, (told,)), b"")
    assert any(c.kind == "hidden" for c in cells)


def test_the_page_is_sealed_and_names_nobody(course: Path, tmp_path: Path) -> None:
    out = tmp_path / "graded"
    for student, assignment, bugs in (
        ("anna", A, ("nan_loss", "wrong_init")),
        (EVIL, A, ("nan_loss", "lr_too_high", "<b>x")),
        ("carl", A, ("nan_loss", "wrong_init", "lr_too_low")),
        ("dora", "04-training-loop", ("wrong_loss",)),
    ):
        line = check("a", bugs=bugs, message=EVIL)
        files.write_result(out, result(student, line, assignment=assignment))
    done = run("release", A, "--solutions", "--class", out, "--root", course)
    assert done.exit_code == 0, done.output
    html = (course / "build" / "solutions" / f"{A}.html").read_text(encoding="utf-8")
    tags = Tags(html)
    assert tags.open == [] and not {t for t, _ in tags.seen} & {"script", "img", "link", "form"}
    assert all(str(a.get("href", "#")).startswith("#") for t, a in tags.seen if t == "a")
    rows = re.findall(r"<tr><td>(\d+)</td><td><code>(.*?)</code>", html)
    assert rows == [("3", "nan_loss"), ("2", "wrong_init"), ("1", "&lt;b&gt;x")]
    assert "works of 3" in html
    for name in ("anna", "carl", "dora", "alert("):
        assert name not in html
    text = text_of(html)
    for style in named(course, A)[1].styles:
        for code in style.tasks.values():
            assert code in text
    again = run("release", A, "--solutions", "--class", out, "--root", course)
    assert again.exit_code == 0
    assert html == (course / "build" / "solutions" / f"{A}.html").read_text(encoding="utf-8")
    assert not (course / "release").exists()


@pytest.mark.parametrize(
    ("when", "extension", "refused"),
    [
        ("2999-01-01T00:00:00+01:00", "", "2999-01-01"),
        ("2000-01-01T00:00:00+01:00", "2999-02-01T00:00:00+01:00", "2999-02-01"),
        ("2000-01-01T00:00:00+01:00", "2000-02-01T00:00:00+01:00", ""),
    ],
)
def test_not_while_anybody_can_hand_in(
    course: Path, when: str, extension: str, refused: str
) -> None:
    due(course, when, extension)
    words = ("release", "--solutions", "--root", course)
    page = course / "build" / "solutions" / f"{A}.html"
    if refused:
        with pytest.raises(Exception, match=rf"is due {refused}.*--even-before-due") as caught:
            run(*words)
        assert "\n" not in str(caught.value) and not page.exists()
        assert run(*words, "--even-before-due").exit_code == 0
    else:
        assert run(*words).exit_code == 0
    assert page.is_file()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--solutions", "-o", "release/x"), "not written into release/"),
        (("--solutions", "-o", "source"), "not written into source/"),
        (("--solutions", "--check"), "neither --check nor --quick"),
        (("--solutions", "--class", "nowhere"), "holds no results"),
        (("-o", "x"), "add --solutions"),
        (("--class", "x"), "add --solutions"),
        (("--even-before-due",), "add --solutions"),
    ],
)
def test_wrong_use_is_one_line(
    course: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], part: str
) -> None:
    monkeypatch.chdir(course)
    before = sorted(course.rglob("*"))
    with pytest.raises(Exception, match=re.escape(part)):
        run("release", *words)
    assert sorted(course.rglob("*")) == before


def test_the_documented_command_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ autograder (release .*--solutions.*)$", text, re.MULTILINE)
    out = tmp_path / "graded"
    files.write_result(out, result("anna", check("a", bugs=("nan_loss",))))
    words = command.replace("graded/", str(out)).split()
    done = run(*words, "--root", ROOT, "-o", tmp_path / "page")
    assert done.exit_code == 0 and list((tmp_path / "page").iterdir()) != []
