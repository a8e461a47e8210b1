"""otter-grader: a master for `otter assign`, and the autograder that it makes.

    build/otter/<id>/master/<module>.ipynb      written here, with what the autograder needs beside
    build/otter/<id>/dist/student/              by `otter assign`: what students get
    build/otter/<id>/dist/autograder/           by `otter assign`: what graders get, solutions too
    build/otter/<id>/<module>-autograder.zip    the zip that `otter run`, `otter grade` or
                                                Gradescope take

A task is a question. Its public tests are test cases that add nothing to the grade, which students
run by `grader.check("task1")` or `otter check`; each of its checks is a hidden test case with its
points, which asks `autograder.live`. A test case of otter passes or fails, so what a check gives in
part is added by a plugin (`otter_plugin`). The autograder carries the course's configuration and
the assignment's hidden half: that is otter's model, in which tests lie beside the submission.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import yaml

from ..authoring.leaks import refuse_leaks, secrets_of, thresholds_of
from ..authoring.master import STUB, Cell, given_files, linked_pages, read_master, task_of
from ..authoring.notebook import embedded, pictures_of
from ..checks import own
from ..checks.by_hand import NAME as BY_HAND
from ..checks.judge import is_installed, missing
from ..course import config
from ..errors import GraderError, InputError
from ..text import clean
from .base import Package

_nbformat: Any = nbformat  # it ships no types for what we call
PLUGIN = "autograder.exports.otter_plugin.PartialCredit"
RUN_S = 900


def solution(source: str) -> str:
    """A cell's text with our solution markers turned into otter's, and the stub as its prompt."""
    out: list[str] = []
    for line in source.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == "### BEGIN SOLUTION":
            out.append(f"{indent}# BEGIN SOLUTION NO PROMPT")
        elif line.strip() == "### END SOLUTION":
            out += [f"{indent}# END SOLUTION", f'{indent}""" # BEGIN PROMPT']
            out += [indent + text for text in STUB]
            out.append(f'{indent}""" # END PROMPT')
        else:
            out.append(line)
    return "\n".join(out)


def _public_test(cell: Cell, task: int) -> str:
    """A public cell as a test case, which reads the student's names as if they were its own.

    No points are written to it: otter shares what a question's points leave over among such
    cases. That is nothing in the autograder, where the hidden cases have them all, and all of
    them in the student's copy, where `otter check` divides by the sum.
    """
    body = "\n".join(f"        {line}".rstrip() for line in cell.source.splitlines())
    return (
        '""" # BEGIN TEST CONFIG\nhidden: false\n""" # END TEST CONFIG\n'
        f"def test_{cell.grade_id.replace('-', '_')}(env):\n"
        '    globals().update({k: v for k, v in env.items() if not k.startswith("_")})\n'
        f"    try:\n{body}\n"
        "    except NotImplementedError as stub:\n"
        f"        stub.args = stub.args or ('task {task} is not written yet',)\n"
        "        raise"
    )


def _no_public_test(task: int) -> str:
    """A test case that says of a task without public tests that it has none; else otter would say
    that all of them passed.
    """
    told = f"task {task} has no public tests; it is looked at when your work is graded"
    return (
        f'""" # BEGIN TEST CONFIG\nhidden: false\nsuccess_message: {told}\n""" # END TEST CONFIG\n'
        f"def test_task{task}_has_no_public_tests(env):\n"
        "    pass"
    )


def _hidden_test(assignment: str, check: config.CheckSpec) -> str:
    return (
        f'""" # BEGIN TEST CONFIG\npoints: {check.points}\nhidden: true\n""" # END TEST CONFIG\n'
        f"def test_{check.id.replace('-', '_')}(env):\n"
        "    from autograder.live import demand\n"
        f'    demand("{check.id}", assignment="{assignment}")'
    )


def _question(
    assignment: config.Assignment, task: int, public: list[Cell]
) -> Iterator[tuple[str, str]]:
    """The question of one task, as (kind, text) of its cells."""
    checks = [c for c in assignment.checks if c.task == task and c.key != BY_HAND]
    points = sum(c.points for c in checks)
    yield "raw", f"# BEGIN QUESTION\nname: task{task}\npoints: {points}"
    yield "raw", "# BEGIN TESTS"
    if not public:
        yield "code", _no_public_test(task)
    for cell in public:
        yield "code", _public_test(cell, task)
    for check in checks:
        yield "code", _hidden_test(assignment.id, check)
    yield "raw", "# END TESTS"
    yield "raw", "# END QUESTION"


def _by_hand(cell: Cell) -> Iterator[tuple[str, str]]:
    """The question of a cell that a person reads: otter's own manual question."""
    name = cell.grade_id.replace("-", "_")
    yield "raw", f"# BEGIN QUESTION\nname: {name}\nmanual: true\npoints: {cell.points:g}"
    yield "raw", "# BEGIN PROMPT"
    yield "markdown", cell.source
    yield "raw", "# END PROMPT"
    yield "raw", "# END QUESTION"


def _given(root: Path, assignment: config.Assignment) -> list[str]:
    """The released notebook, beside which submitted ones are read; none where none is released."""
    name = f"release/{assignment.id}/{assignment.module}.ipynb"
    return [name] if (root / name).is_file() else []


def _cells(
    assignment: config.Assignment,
    cells: tuple[Cell, ...],
    where: Path,
    given: list[str],
    carried: Iterable[str],
) -> Iterator[tuple[str, str]]:
    """The master's cells as (kind, text): a task's question stands where its last test stood.

    `given` are further files that the autograder takes along, `carried` such of the assignment's
    hidden half.
    """
    given_too = given_files(where.parent)
    beside = [*given_too, *linked_pages(where.parent, cells)]
    settings = {
        "init_cell": True,
        "export_cell": False,
        "run_tests": False,
        "strip_solutions_from_all_cells": True,
        "files": [*(["img"] if (where.parent / "img").is_dir() else []), *beside],
        "autograder_files": [
            "grading_config.yml",
            f"assignments/{assignment.id}/assignment.yml",
            *(f"assignments/{assignment.id}/{name}" for name in own.files(assignment.folder)),
            *(f"assignments/{assignment.id}/{name}" for name in carried),
            *(f"source/{assignment.id}/given/{name}" for name in given_too),
            *given,
        ],
        "generate": {"plugins": [PLUGIN]},
        "tests": {"ok_format": False, "files": True},
    }
    yield "raw", "# ASSIGNMENT CONFIG\n" + yaml.safe_dump(settings, sort_keys=False)
    tests = [c for c in cells if c.kind in ("public", "hidden")]
    last = {task_of(c, where): c for c in tests}
    for cell in cells:
        if cell.kind == "manual":
            yield from _by_hand(cell)
            continue
        if cell.kind not in ("public", "hidden"):
            yield ("code" if cell.is_code else "markdown"), solution(cell.source)
            continue
        task = task_of(cell, where)
        if last[task] is cell:
            public = [c for c in tests if c.kind == "public" and task_of(c, where) == task]
            yield from _question(assignment, task, public)


def master(
    root: Path, assignment: config.Assignment, carried: Iterable[str] = ("calibration.yml",)
) -> str:
    """The text of the notebook that `otter assign` takes. Raises `SourceError`."""
    where = root / "source" / assignment.id / f"{assignment.module}.py"
    book: Any = _nbformat.v4.new_notebook()
    book.nbformat_minor = 5
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book.metadata = _nbformat.from_dict({"kernelspec": kernel})
    make = {
        "raw": _nbformat.v4.new_raw_cell,
        "code": _nbformat.v4.new_code_cell,
        "markdown": _nbformat.v4.new_markdown_cell,
    }
    cells = _cells(assignment, read_master(where), where, _given(root, assignment), carried)
    pictures = pictures_of(where.parent)
    for number, (kind, text) in enumerate(cells):
        cell = make[kind](embedded(text, pictures) if kind == "markdown" else text)
        cell.id = hashlib.sha256(f"{assignment.id}/otter/{number}".encode()).hexdigest()[:8]
        book.cells.append(cell)
    return str(_nbformat.writes(book)).rstrip("\n") + "\n"


def _stage(
    root: Path, assignment: config.Assignment, carried: Mapping[str, bytes], folder: Path
) -> Path:
    """The master with all that `otter assign` packs beside it; returns its path."""
    hidden = folder / "assignments" / assignment.id
    hidden.mkdir(parents=True)
    shutil.copy(root / "assignments" / assignment.id / "assignment.yml", hidden)
    shutil.copy(root / "grading_config.yml", folder)
    for name in _given(root, assignment):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(root / name, folder / name)
    for name, raw in {**own.files(assignment.folder), **carried}.items():
        (hidden / name).parent.mkdir(parents=True, exist_ok=True)
        (hidden / name).write_bytes(raw)
    source = f"source/{assignment.id}"
    for name, raw in given_files(root / source).items():
        for path in (folder / name, folder / source / "given" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
    master_file = root / source / f"{assignment.module}.py"
    for name, raw in linked_pages(root / source, read_master(master_file)).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(raw)
    pictures = root / source / "img"
    if pictures.is_dir():
        shutil.copytree(pictures, folder / "img")
    path = folder / f"{assignment.module}.ipynb"
    path.write_text(master(root, assignment, carried), encoding="utf-8")
    return path


def _otter(*arguments: str, cwd: Path) -> str:
    """Run the real otter; its output. Raises `InputError` without it, `GraderError` if it fails."""
    try:
        import otter  # noqa: F401 - only whether it is there
    except ImportError as e:
        raise InputError(
            "otter-grader is not installed", remedy="pip install 'five-beats[otter]'"
        ) from e
    done = subprocess.run(
        [sys.executable, "-m", "otter", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    if done.returncode != 0:
        last = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-3:]
        raise GraderError(
            f"otter {arguments[0]} failed: {clean(' / '.join(last))}", remedy="see otter's manual"
        )
    return done.stdout


def run(autograder: Path, submission: Path) -> dict[str, Any]:
    """Grade one notebook by the real `otter run`; its results.json, as Gradescope gets it."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        arguments = ("run", "-a", str(autograder.resolve()), "-o", name, "--no-logo")
        _otter(*arguments, str(submission.resolve()), cwd=out)
        found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def score(results: dict[str, Any]) -> float:
    """The points in otter's results.json, over all questions."""
    return float(round(sum(test.get("score", 0.0) for test in results["tests"]), 4))


def _refuse_leaks(root: Path, assignment: config.Assignment, student: Path, known: bytes) -> None:
    """Raise `LeakError` where what otter made for students shows what must stay behind.

    `known` is the calibration.yml, whose thresholds are secrets.
    """
    master = root / "source" / assignment.id / f"{assignment.module}.py"
    cells = read_master(master)
    secrets = secrets_of(assignment, cells, thresholds_of(known))
    files = {p.relative_to(student).as_posix(): p for p in sorted(student.rglob("*"))}
    public = linked_pages(master.parent, cells)  # the course's own docs, as in a release
    made = {name: p.read_bytes() for name, p in files.items() if p.is_file()}
    refuse_leaks(master, {k: raw for k, raw in made.items() if public.get(k) != raw}, secrets)


def package(order: Package, carried: Mapping[str, bytes]) -> list[str]:
    """Make an assignment's otter autograder by `otter assign`, and try it on the reference.

    `carried` are files of the assignment's folder that it takes along, since it has no source to
    ask: its calibration.yml, and what the reference answers.
    Writes the folder `order.to` (build/otter/<id>) anew and returns what to tell whoever asked.
    Raises `GraderError` where otter fails or the reference does not get full marks from it, and
    `LeakError` where the students' folder shows a solution, a hidden test, a threshold or a seed.
    """
    assignment = config.assignment(order.root / "assignments" / order.assignment / "assignment.yml")
    target = order.to or order.root / "build" / "otter" / order.assignment
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".otter-") as name:
        made = Path(name) / "made"
        staged = _stage(order.root, assignment, carried, made / "master")
        _otter("assign", str(staged), str(made / "dist"), "--no-pdfs", cwd=staged.parent)
        _refuse_leaks(order.root, assignment, made / "dist" / "student", carried["calibration.yml"])
        (zipped,) = (made / "dist" / "autograder").glob("*-autograder_*.zip")
        zipped.rename(made / f"{assignment.module}-autograder.zip")
        solved = made / "dist" / "autograder" / f"{assignment.module}.ipynb"
        earned = score(run(made / f"{assignment.module}-autograder.zip", solved))
        away = missing(assignment, "cpu", is_installed)
        kept = (c for c in assignment.checks if c.key != BY_HAND and not away & {*c.requires})
        most = sum(c.points for c in kept)
        if abs(earned - most) > 1e-6:
            raise GraderError(
                f"otter gives the reference {earned:g} of {most:g} points",
                where=order.assignment,
                remedy="run `otter run` on dist/autograder/ and read what its tests say",
            )
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return [
        f"{target / f'{assignment.module}-autograder.zip'}: the autograder",
        f"{target / 'dist' / 'student'}: what students get",
        f"the reference gets {earned:g} of {most:g} points from otter",
    ]
