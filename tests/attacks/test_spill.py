"""What an exception carries out: a function that raises with all that stands on its stack.

Its text reaches the student, who may hand in again. So what a probe is told is worth nothing to
anybody else: no seed of the assignment, nothing that the next submission will be asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from autograder.grading.grader import Grader
from autograder.model import Program, Result, Submission
from tests.attacks.backends import BACKENDS, ENGINE
from tests.samples import ROOT, QuickGrader

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
SAMPLES = {
    "04-training-loop": "correct_plain/training_loop.py",
    "05-five-beats": "correct_tensor_dataset/five_beats.py",
    "06-line-by-line": "correct_main_function/line_by_line.py",
    "08-schedule-and-resume": "correct_plain/schedule_and_resume.py",
}
SPILL = """
import sys
def __spill(*a, **k):
    frame, found = sys._getframe(), []
    while frame is not None:
        found += [v for v in frame.f_locals.values() if isinstance(v, dict) and "seed" in v]
        frame = frame.f_back
    raise ValueError(f"spilled {found}"[:1900])
for __name in [n for n, v in globals().items() if callable(v) and not n.startswith("_")]:
    globals()[__name] = __spill
"""
LOGGED = """
import functools
def __logged(f):
    @functools.wraps(f)
    def call(*a, **k):
        try:
            return f(*a, **k)
        except Exception as e:
            e.args = (f"{e} with {len(a)} arguments",)
            raise
    return call
import types
for __name, __f in list(globals().items()):
    if isinstance(__f, types.FunctionType) and not __name.startswith("_"):
        globals()[__name] = __logged(__f)
"""
"""The honest twin: errors say what a function was called with."""


@pytest.fixture(scope="module", params=BACKENDS)
def grader(request: pytest.FixtureRequest) -> Iterator[Grader]:
    if request.param == ENGINE:
        request.getfixturevalue("engine_image")
    with QuickGrader(ROOT, request.param) as made:
        yield made


def graded(grader: Grader, assignment: str, more: str) -> tuple[Submission, Result]:
    path = ROOT / "assignments" / assignment / "submissions" / SAMPLES[assignment]
    program = Program("script", path.name, (f"{path.read_text(encoding='utf-8')}\n{more}",))
    work = Submission("mallory", assignment, program, {})
    return work, grader.grade(work).result


@pytest.mark.parametrize("assignment", SAMPLES)
def test_no_seed_of_the_assignment_comes_out(grader: Grader, assignment: str) -> None:
    work, result = graded(grader, assignment, SPILL)
    assert result.status == "graded"
    told, spec = json.dumps(result.to_json()), grader.assignment(assignment)
    assert not re.search(rf"\b{spec.seed}\b", told) and spec.secret not in told
    if "spilled [{" in told:  # 06 has no function that a probe could call
        world = replace(grader.world(assignment), submission=work.digest)
        ours = {
            value
            for check in spec.checks
            for request in world.check(check).requests(world.context(check)).values()
            if (value := request.args.get("seed")) is not None
        }
        assert ours & set(map(int, re.findall(r"'seed': (\d+)", told))), "nothing was spilled"
    else:
        assert assignment == "06-line-by-line"


@pytest.mark.parametrize("assignment", SAMPLES)
def test_nothing_that_is_asked_is_seeded_by_the_assignments_own(
    grader: Grader, assignment: str
) -> None:
    spec, world = grader.assignment(assignment), grader.world(assignment)
    asked: list[set[str]] = []
    for digest in ("sha256:1", "sha256:2"):
        own = replace(world, submission=digest)
        requests = [
            request
            for check in spec.checks
            for request in world.check(check).requests(own.context(check)).values()
        ]
        assert not [r.probe for r in requests if str(spec.seed) in json.dumps(dict(r.args))]
        asked.append({r.digest for r in requests if r.args or r.tensors})
    assert asked[0] != asked[1]


@pytest.mark.parametrize("assignment", SAMPLES)
def test_the_honest_twin_keeps_full_marks(grader: Grader, assignment: str) -> None:
    _, result = graded(grader, assignment, LOGGED)
    assert (result.status, result.score) == ("graded", result.max_score), result.checks
