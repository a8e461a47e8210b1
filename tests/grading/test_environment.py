"""What a grade depends on: nothing that judges is forgotten, and nothing that shows is counted."""

from __future__ import annotations

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import grimp
import pytest

from autograder.course.config import Assignment
from autograder.grading import batch
from autograder.grading.environment import JUDGING, PACKAGE, code_digest, environment, versions
from autograder.model import Graded, Limits, LoadReport, Program, Result, Submission

SPEC = Assignment.model_validate(
    {"id": "circles", "title": "T", "version": 1, "module": "circles", "checks": []}
)
MODULES = {p.relative_to(PACKAGE).as_posix(): p for p in sorted(PACKAGE.rglob("*.py"))}
LIMITS = Limits()


class Counting:
    """A grader that counts what it grades, in the environment of a copy of the package."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self.graded = 0

    def assignment(self, assignment: str, /) -> Assignment:
        return SPEC

    def grade(self, s: Submission, /) -> Graded:
        self.graded += 1
        return Graded(
            Result("circles", s.student, s.digest, "graded", 0.0, 0.0, ()), LoadReport("done")
        )

    def again(self, out: Path) -> int:
        """How many of a class of two are graded now, in `out`."""
        self.graded = 0
        handed = [
            Submission(name, "circles", Program("script", "circles.py", (name,)), {})
            for name in ("ann", "bob")
        ]
        batch.run(self, handed, [], out, environment=lambda _: {"code": code_digest(self.package)})
        return self.graded


def test_a_page_grades_nobody_anew_and_a_judge_everybody(tmp_path: Path) -> None:
    package, out = tmp_path / "autograder", tmp_path / "out"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    grader = Counting(package)
    assert (grader.again(out), grader.again(out)) == (2, 0)
    for shown in ("report/pages.py", "cli/terminal.py", "exports/canvas.py", "authoring/build.py"):
        with (package / shown).open("a") as f:
            f.write("# a word more\n")
        assert grader.again(out) == 0, shown
    for judging in (
        "checks/judge.py",
        "inside/box/launch.py",
        "sandbox/uid.py",
        "course/images.py",
    ):
        with (package / judging).open("a") as f:
            f.write("# a word more\n")
        assert (grader.again(out), grader.again(out)) == (2, 0), judging


def test_a_judge_that_moves_or_goes_grades_anew(tmp_path: Path) -> None:
    package = tmp_path / "autograder"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = code_digest(package)
    assert before == code_digest()
    (package / "checks" / "accuracy.py").rename(package / "checks" / "accuracies.py")
    moved = code_digest(package)
    (package / "checks" / "accuracies.py").unlink()
    assert len({before, moved, code_digest(package)}) == 3


def no_code(path: Path) -> bool:
    """Whether a module is no more than its docstring."""
    return all(isinstance(n, ast.Expr) for n in ast.parse(path.read_text()).body)


def test_nothing_that_a_verdict_depends_on_is_forgotten() -> None:
    graph = grimp.build_graph("autograder", cache_dir=None)
    parts = ("checks", "sandbox", "inside", "watch.findings")
    judging = {m for part in parts for m in rooms(graph, part)}
    judging |= {f"autograder.grading.{m}" for m in ("grader", "calibration", "expected")}
    needed = judging.union(*(graph.find_upstream_modules(m) for m in judging))
    needed |= {".".join(m.split(".")[:i]) for m in needed for i in range(2, m.count(".") + 1)}
    paths = {
        path
        for path, file in MODULES.items()
        if path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        in {m.removeprefix("autograder.") for m in needed}
        and not no_code(file)
    }
    assert {p for p in paths if not p.startswith(JUDGING)} == set()
    covered = {p for p in MODULES if p.startswith(JUDGING) and not no_code(MODULES[p])}
    assert covered - paths == set(), "counted, though no verdict depends on it"


def rooms(graph: grimp.ImportGraph, room: str) -> set[str]:
    return {f"autograder.{room}", *graph.find_descendants(f"autograder.{room}")}


def test_every_part_of_the_list_is_there() -> None:
    assert [p for p in JUDGING if not any(m.startswith(p) for m in MODULES)] == []
    assert list(JUDGING) == sorted(JUDGING)


@pytest.mark.parametrize(
    "other",
    [
        {"sandbox": "uid"},
        {"device": "cuda"},
        {"data": "other"},
        {"limits": replace(LIMITS, check_s=3.0)},
        {"own": "another"},
        {"threshold": "0.8"},
    ],
)
def test_all_of_it_is_told(other: dict) -> None:
    first: dict = {"sandbox": "bubblewrap", "device": "cpu", "data": "digits"}
    first |= {"limits": LIMITS, "own": ""}
    one, two = environment(**first), environment(**{**first, **other})
    assert [k for k in one if one[k] != two[k]] == list(other)
    assert versions().items() <= one.items()
