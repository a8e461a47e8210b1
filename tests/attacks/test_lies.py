"""Evidence that lies: whatever a forged answer holds, a judge gives a verdict of the student's.

A box's answer is written in the student's process, so every value in it may be anything that
JSON and safetensors can hold. A judge that raised over one would put the fault on the grader, and
one that gave more for it would be bought. So every check of every assignment is put two kinds of
lies, one field at a time:

    wild            another type, a number without bounds, a nest
    nearly right    a shape or a length off by one, one number that is none, another dtype, a
                    missing or a foreign key, two tensors exchanged

What is forged is a correct program's answers (over which no judge may raise) and those of programs
with bugs (for which no check may give more, unless what was forged equals the correct answer: then
it is the correct answer). Evidence is recorded once an assignment; judging is pure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache as kept
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from autograder.checks import Calibration, HiddenData, registry
from autograder.checks.judge import World, judge
from autograder.course import config
from autograder.course.config import CheckSpec
from autograder.course.images import prepare
from autograder.errors import FiveBeatsError
from autograder.grading.grader import job_for
from autograder.model import (
    CheckResult,
    Evidence,
    Limits,
    LoadReport,
    ProbeRequest,
    Program,
    Status,
    Submission,
)
from autograder.sandbox import Plain
from autograder.sandbox.evidence import parse_header
from tests.samples import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
IDS = sorted(p.parent.name for p in (ROOT / "assignments").glob("*/assignment.yml"))
WRONG = {
    "04-training-loop": (
        "bug_missing_eval_mode__disguised",
        "bug_missing_no_grad",
        "bug_wrong_confusion_matrix",
        "bug_wrong_history",
    ),
    "05-five-beats": (
        "bug_missing_train_mode",
        "bug_train_not_shuffled",
        "bug_incomplete_seeding",
        "bug_wrong_device",
        "bug_saves_last_not_best",
        "bug_pickles_whole_model",
    ),
    "06-line-by-line": ("bug_missing_step", "bug_train_not_shuffled", "bug_missing_no_grad"),
    "08-schedule-and-resume": (
        "bug_resume_without_state",
        "bug_clip_before_unscale",
        "bug_unsafe_load",
        "bug_missing_zero_grad",
    ),
}
"""Samples whose answers are forged to look better; those of another assignment may be left out."""
WILD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**62, 1e300, -0.5, "", "nan", "x" * 500, [], [None], [[]], ["x"],
    [2**62], [-1, 1e300], {}, {"a": None}, [{}], [[[[]]]],
)  # fmt: skip
TESTIMONY = {
    ("checkpoint_best", "data.epochs"): "how often it trained under the script",
    ("checkpoint_best", "data.evaluated"): "which epochs it evaluated under the script",
    ("shuffled", "tensors.calls"): "which images came in which call",
    ("no_grad", "tensors.calls"): "whether a call recorded a graph",
}
"""What is told and cannot be computed, by check: it can be lied about (docs/security.md, Known
limits), and a lie that is well formed gains what the truth would.
"""
LIMITS = Limits(wall_s=120, check_s=120, cpu_s=400)
Place = tuple[Any, ...]
Array = NDArray[Any]


@dataclass(frozen=True)
class Recorded:
    """An assignment's world, its requests with the checks that read each, and what programs answer:
    the correct one's evidence, and that of wrong ones, as far as a check failed over it.
    """

    world: World
    requests: Mapping[str, ProbeRequest]
    readers: Mapping[str, list[CheckSpec]]
    right: Mapping[str, Evidence]
    wrong: tuple[Mapping[str, Evidence], ...]


def one(world: World, spec: CheckSpec, evidence: Mapping[str, Evidence]) -> CheckResult:
    """What a check says alone, whatever it rests on."""
    alone = spec.model_copy(update={"needs": ()})
    only = replace(world, assignment=world.assignment.model_copy(update={"checks": (alone,)}))
    (found,) = judge(only, LoadReport("done"), lambda r: evidence[r.digest])
    return found


@kept
def recorded(assignment: str, cache: str) -> Recorded:
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    data, hidden = None, None
    if spec.data is not None:
        made = prepare(spec.data, spec.seed, None, Path(cache))
        data = made.root
        hidden = HiddenData(made.dataset, made.fingerprint, made.hidden_images, made.hidden_labels)
    world = World(spec, hidden, Calibration((0.8, 0.81, 0.82), 0.78, 0.2))
    requests: dict[str, ProbeRequest] = {}
    readers: dict[str, list[CheckSpec]] = {}
    for check in spec.checks:
        for request in registry()[check.use].requests(world.context(check)).values():
            requests[request.digest] = request
            readers.setdefault(request.digest, []).append(check)
    samples = ROOT / "assignments" / assignment / "submissions"
    with Plain() as boxes:

        def answers(sample: str) -> dict[str, Evidence]:
            (path,) = (samples / sample).glob("*.py")
            program = Program("script", path.name, (path.read_text(encoding="utf-8"),))
            job = job_for(Submission("ann", assignment, program, {}), LIMITS, data)
            with boxes.open(job) as box:
                assert box.load().status == "done"
                return {digest: box.probe(r) for digest, r in requests.items()}

        right = answers("correct_plain")
        wrong = tuple(map(answers, WRONG.get(assignment, ())))
    assert all(e.status == "done" for e in right.values())
    assert all(one(world, c, right).status is Status.PASSED for c in spec.checks)
    return Recorded(world, requests, readers, right, wrong)


# -- lies --------------------------------------------------------------------------------------


def places(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in a JSON value with what stands there; of lists the first and last element."""
    if at:
        yield at, value
    if isinstance(value, Mapping):
        for key in value:
            yield from places(value[key], (*at, key))
    elif isinstance(value, list):
        for i in sorted({0, len(value) - 1} if value else ()):
            yield from places(value[i], (*at, i))


def put(value: Any, at: Place, new: Any) -> Any:
    """`value` with what stands at a place replaced; what is not on the way to it is shared."""
    if not at:
        return new
    if isinstance(value, list):
        return [put(v, at[1:], new) if i == at[0] else v for i, v in enumerate(value)]
    return {k: put(v, at[1:], new) if k == at[0] else v for k, v in value.items()}


def near(value: Any) -> Iterator[Any]:
    """What is nearly a value."""
    if isinstance(value, bool):
        yield from (not value, int(value))
    elif isinstance(value, (int, float)):
        yield from (value + 1, value - 1, -value, value * 1e6, str(value), [value])
        yield float(value) if isinstance(value, int) else int(min(value, 1e9))
    elif isinstance(value, str):
        yield from (value + value[-1:], value[:-1], value[::-1], [value])
    elif isinstance(value, list):
        yield from (value[:-1], value[1:], [*value, *value[-1:]], value[::-1], value * 2, [value])
        yield from ([*value, None], [None, *value[1:]], {str(i): v for i, v in enumerate(value)})
    elif isinstance(value, Mapping):
        yield from ({k: v for k, v in value.items() if k != gone} for gone in value)
        yield from (list(value), list(value.values()), {**value, "other": 1})


def arrays(array: Array) -> Iterator[tuple[str, Array]]:
    """What may stand in the place of a tensor."""
    for axis, n in enumerate(array.shape):
        rows = np.arange(n)
        yield f"one less along {axis}", np.take(array, rows[:-1], axis)
        yield f"one more along {axis}", np.take(array, [*rows, *rows[-1:]], axis)
        yield f"none along {axis}", np.take(array, rows[:0], axis)
        yield f"twice along {axis}", np.take(array, [*rows, *rows], axis)
        yield f"turned along {axis}", np.take(array, rows[::-1], axis)
    yield "flat", array.reshape(-1)
    yield "an axis more", array[None]
    yield "an axis less", array[0] if array.ndim and len(array) else array.reshape(-1)
    yield "transposed", array.T
    yield "empty", np.zeros((0,), array.dtype)
    yield "scalar", np.zeros((), array.dtype)
    yield "zeros", np.zeros_like(array)
    yield "bool", np.ones(array.shape, bool)
    yield "whole", np.full(array.shape, 2**62, np.int64)
    yield "negative", np.full(array.shape, -(2**62), np.int64)
    yield "small", np.full(array.shape, 255, np.uint8)
    for number in (np.nan, np.inf, -np.inf, 1e300, 1e-300):
        yield f"{number:g}", np.full(array.shape, number)
        if array.size:
            spoiled = array.astype(np.float64)
            spoiled.flat[-1] = number
            yield f"{number:g} at the end", spoiled
    for dtype in ("float16", "float32", "float64", "int8", "int64", "uint8", "bool"):
        with np.errstate(all="ignore"):
            yield dtype, array.astype(dtype)


def forged(true: Evidence) -> Iterator[tuple[str, Place, Evidence]]:
    """(what was done, where, the evidence then), one field at a time."""
    data, tensors = dict(true.data), dict(true.tensors)
    for at, value in places(data):
        for lie in (*WILD, *near(value)):
            said = f"{'.'.join(map(str, at))} = {str(lie)[:40]}"
            yield said, ("data", *at), replace(true, data=put(data, at, lie))
    for key in data:
        left = {k: v for k, v in data.items() if k != key}
        yield f"without {key}", ("data", key), replace(true, data=left)
    for name, array in tensors.items():
        for what, other in arrays(array):
            changed = {**tensors, name: other}
            yield f"tensor {name} {what}", ("tensors", name), replace(true, tensors=changed)
        left_out = {k: v for k, v in tensors.items() if k != name}
        yield f"without tensor {name}", ("tensors", name), replace(true, tensors=left_out)
    for a, b in zip(tensors, [*tensors][1:], strict=False):
        changed = {**tensors, a: tensors[b], b: tensors[a]}
        yield f"tensors {a} and {b} exchanged", ("tensors",), replace(true, tensors=changed)
    yield "no data", ("data",), replace(true, data={})
    yield "no tensors", ("tensors",), replace(true, tensors={})
    yield "nothing", (), Evidence("done")


def standing(evidence: Evidence, at: Place) -> Any:
    """What stands at a place of evidence, None where there is no such place."""
    found: Any = {"data": evidence.data, "tensors": evidence.tensors}
    for key in at:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        both = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
        return (
            both and one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=True))
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return bool(one == other)


# -- what may not happen -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        yield folder


def test_every_check_is_put_to_it() -> None:
    used = {
        check.use
        for name in IDS
        for check in config.assignment(ROOT / "assignments" / name / "assignment.yml").checks
    }
    assert used == set(registry())


@pytest.mark.parametrize("assignment", IDS)
def test_no_lie_makes_a_judge_raise(assignment: str, cache: str) -> None:
    known = recorded(assignment, cache)
    raised: dict[str, str] = {}
    for digest, request in known.requests.items():
        for what, _, lie in forged(known.right[digest]):
            told = {**known.right, digest: lie}
            for check in known.readers[digest]:
                found = one(known.world, check, told)
                assert 0 <= found.score <= found.max_score, (found.id, request.probe, what)
                if found.status is Status.UNGRADABLE:
                    raised.setdefault(f"{found.id}: {found.message}", f"{request.probe}: {what}")
    assert not raised, "\n".join(f"{k}   <- {v}" for k, v in raised.items())


@pytest.mark.parametrize("assignment", IDS)
def test_no_lie_but_the_right_answer_gains_a_point(assignment: str, cache: str) -> None:
    known = recorded(assignment, cache)
    gained: dict[str, str] = {}
    for wrong in known.wrong:
        lost = {c.id: one(known.world, c, wrong) for c in known.world.assignment.checks}
        assert any(r.score < r.max_score for r in lost.values())
        for digest, request in known.requests.items():
            failed = [c for c in known.readers[digest] if lost[c.id].score < lost[c.id].max_score]
            for what, at, lie in forged(wrong[digest]) if failed else ():
                if same(standing(lie, at), standing(known.right[digest], at)):
                    continue
                for check in failed:
                    found = one(known.world, check, {**wrong, digest: lie})
                    told = (check.id, ".".join(map(str, at[:2])))
                    if found.score > lost[check.id].score and told not in TESTIMONY:
                        gained.setdefault(f"{check.id} by {request.probe}: {what}", found.message)
    assert not gained, "\n".join(f"{k}   -> {v}" for k, v in gained.items())


@pytest.mark.parametrize("assignment", IDS)
def test_empty_evidence_earns_nothing(assignment: str, cache: str) -> None:
    known = recorded(assignment, cache)
    results = judge(known.world, LoadReport("done"), lambda request: Evidence("done"))
    assert sum(r.score for r in results) == 0
    assert Status.UNGRADABLE not in {r.status for r in results}


def test_headers_are_bounded() -> None:
    for text in (
        '{"data": ' + "[" * 40 + "]" * 40 + "}",
        '{"data": ' + "9" * 400 + "}",
        '{"data": -' + "9" * 30 + "}",
    ):
        with pytest.raises(FiveBeatsError):
            parse_header(text.encode())
