"""A hidden test in a notebook: `grade("zero_grad", ...)` runs probe and judge right there.

This is how nbgrader and otter-grader work: the test shares the student's process. It gives
honest work the same points as the boxes do, and protects nothing; `autograder grade` is for
that. The probe still runs in a fork, so that it cannot disturb the notebook.

The only module that imports `inside`: here the student's process is the box.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from .config import Assignment
from .errors import InputError
from .evidence import pack_tensors, read_answer
from .grade import Grader
from .inside import torchvision_compat, wire
from .inside.answer import answer
from .inside.program import Program
from .judge import World, judge
from .model import CheckResult, Evidence, LoadReport, ProbeRequest, Status


class NotPassed(AssertionError):  # noqa: N818 - what a student reads above the message
    """A hidden test that was not passed; its text is the check's message and help."""


def course_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds grading_config.yml (or $FIVE_BEATS_ROOT)."""
    named = os.environ.get("FIVE_BEATS_ROOT")
    here = Path(named) if named else (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "grading_config.yml").is_file():
            return folder
    raise InputError("no course found", where=here, remedy="set FIVE_BEATS_ROOT to its folder")


@lru_cache(maxsize=1)
def _grader(root: Path) -> Grader:
    return Grader(root)


def _assignment(grader: Grader, check: str) -> Assignment:
    """The assignment in whose folder we are, else the one that has a check of that id."""
    known = [grader.assignment(i) for i in grader.ids()]
    parts = set(Path.cwd().parts)
    here = [a for a in known if a.id in parts] or known
    found = [a for a in here if any(c.id == check for c in a.checks)]
    if len(found) != 1:
        what = "no assignment has" if not found else "several assignments have"
        raise InputError(f"{what} a check '{check}'", remedy="run in the assignment's own folder")
    return found[0]


def _program(assignment: Assignment, main: ModuleType) -> Program:
    """The notebook as it stands: its namespace, and its cells so far for a fresh load."""
    cells = [c for c in main.__dict__.get("In", []) if c and "autograder.live" not in c]
    program = Program("notebook" if cells else "script", f"{assignment.module}.ipynb", cells)
    program.module = main
    program.namespace = main.__dict__
    program.loaded = True
    return program


def _ask(program: Program, request: ProbeRequest) -> Evidence:
    """The request's answer, from a fork of this process."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            if request.start == "fresh":
                program = Program(program.kind, program.main, program.cells)
            order = {"probe": request.probe, "args": dict(request.args)}
            header, blob = answer(program, order, pack_tensors(dict(request.tensors)))
            wire.write(write, wire.pack(header, blob))
        finally:
            os._exit(0)
    os.close(write)
    try:
        got = wire.read(read, wire.EVIDENCE_CAP)
    finally:
        os.close(read)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if got is None:
        return Evidence("crash", detail="the process ended without an answer")
    return read_answer(json.dumps(got[0]).encode(), got[1])


def outcome(check: str) -> CheckResult:
    """What one check of the present assignment says of this notebook as it stands."""
    torchvision_compat.declare()
    grader = _grader(course_root())
    assignment = _assignment(grader, check)
    spec = next(c for c in assignment.checks if c.id == check)
    only = assignment.model_copy(update={"checks": (spec.model_copy(update={"needs": ()}),)})
    known = grader.world(assignment.id)
    world = World(only, known.hidden, known.calibration, known.device)
    program = _program(assignment, sys.modules["__main__"])
    (result,) = judge(world, LoadReport("done"), lambda request: _ask(program, request))
    return result


def grade(*checks: str) -> float:
    """Run hidden tests; returns the points they earned, which nbgrader takes as the cell's score.

    What was not passed is printed with its message and help. Raises `NotPassed` where nothing
    was earned at all, so that a reader of the cell sees a failed test and not a quiet zero.
    """
    results = [outcome(check) for check in checks]
    said = [
        f"{r.title}: {r.message}\n{r.help}".strip()
        for r in results
        if r.status not in (Status.PASSED, Status.DEFERRED)
    ]
    earned = round(sum(r.score for r in results), 4)
    if said and earned == 0 and any(r.max_score for r in results):
        raise NotPassed("\n\n".join(said))
    print("\n\n".join(said) or "passed")
    return earned
