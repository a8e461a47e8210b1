"""Evidence is testimony: whatever a box sends, a judge answers, and never in its favour by fault.

The answers of a correct program are spoiled, one field at a time, by two kinds of lies:

    wild            another type, a number without bounds, a nest
    nearly right    a length off by one, one number that is none, another dtype, a foreign key, two
                    tensors exchanged

A judge may still pass a check that the field does not bear on; it must not raise, which would leave
a person to look at what no person can. Every lie put to every check takes more than half an hour.
So a dozen of each probe's fields get one each, drawn by a seed (FIVE_BEATS_TEST_SEED has
others), and its tensors two.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from autograder.authoring.master import given_files
from autograder.checks import Calibration, HiddenData, own
from autograder.checks.judge import Ask, World, judge
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
from autograder.sandbox import Box, Plain
from autograder.sandbox.evidence import parse_header
from tests.harness import ROOT, SEED

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
IDS = sorted(p.parent.name for p in (ROOT / "assignments").glob("*/assignment.yml"))
WILD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**62, 1e300, -0.5, "", "nan", "x" * 500, [], [None], [[]], ["x"],
    [2**62], [-1, 1e300], {}, {"a": None}, [{}], [[[[]]]],
)  # fmt: skip
FIELDS = 12
"""Fields of an answer that are lied about; besides, each of its outermost is left out."""
LIMITS = Limits(wall_s=120, check_s=120, cpu_s=400)
Place = tuple[Any, ...]
Array = NDArray[Any]


def one(world: World, spec: CheckSpec, ask: Ask) -> CheckResult:
    """What a check says alone, whatever it rests on."""
    alone = spec.model_copy(update={"needs": ()})
    only = replace(world, assignment=world.assignment.model_copy(update={"checks": (alone,)}))
    (found,) = judge(only, LoadReport("done"), ask)
    return found


class Answers:
    """What one program answers: each probe is run when it is first asked for."""

    def __init__(self, box: Box) -> None:
        self.box, self.kept = box, dict[str, tuple[ProbeRequest, Evidence]]()

    def __call__(self, request: ProbeRequest) -> Evidence:
        if request.digest not in self.kept:
            self.kept[request.digest] = (request, self.box.probe(request))
        return self.kept[request.digest][1]


@contextlib.contextmanager
def recorded(assignment: str, cache: Path) -> Iterator[tuple[World, Answers]]:
    """An assignment's world and the answers of a correct program, which stand for the reference's,
    too."""
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    data, hidden = None, None
    if spec.data is not None:
        made = prepare(spec.data, spec.seed, None, cache)
        data = made.root
        hidden = HiddenData(made.dataset, made.fingerprint, made.hidden_images, made.hidden_labels)
    (path,) = (ROOT / "assignments" / assignment / "submissions" / "correct_plain").glob("*.py")
    program = Program("script", path.name, (path.read_text(encoding="utf-8"),))
    given = given_files(ROOT / "source" / assignment)
    submission = Submission("ann", assignment, program, {})
    job = job_for(submission, LIMITS, data, given=given, probes=own.probes(spec))
    boxes = Plain()
    try:
        with boxes.open(job) as box:
            assert box.load().status == "done"
            right = Answers(box)
            calibration = Calibration((0.8, 0.81, 0.82), 0.7, 0.2)
            yield World(spec, hidden, calibration, reference=right), right
    finally:
        boxes.close()


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


def forged(true: Evidence, rng: np.random.Generator) -> Iterator[tuple[str, Evidence]]:
    """(what was done, the evidence then): one lie for each of some fields, two for each tensor."""
    data, tensors = dict(true.data), dict(true.tensors)
    there = list(places(data))
    for k in rng.permutation(len(there))[:FIELDS]:
        at, value = there[int(k)]
        lies = [*WILD, *near(value)]
        lie = lies[int(rng.integers(len(lies)))]
        said = f"{'.'.join(map(str, at))} = {str(lie)[:40]}"
        yield said, replace(true, data=put(data, at, lie))
    for key in data:
        yield f"without {key}", replace(true, data={k: v for k, v in data.items() if k != key})
    for name, array in tensors.items():
        other = list(arrays(array))
        for k in rng.choice(len(other), size=2, replace=False):
            what, spoilt = other[int(k)]
            yield f"tensor {name} {what}", replace(true, tensors={**tensors, name: spoilt})
        fewer = {k: v for k, v in tensors.items() if k != name}
        yield f"without tensor {name}", replace(true, tensors=fewer)
    for a, b in zip(tensors, [*tensors][1:], strict=False):
        changed = {**tensors, a: tensors[b], b: tensors[a]}
        yield f"tensors {a} and {b} exchanged", replace(true, tensors=changed)
    yield "no data", replace(true, data={})
    yield "no tensors", replace(true, tensors={})
    yield "nothing", Evidence("done")


# -- what may not happen -----------------------------------------------------------------------


@pytest.mark.parametrize("assignment", IDS)
def test_no_forged_evidence_makes_a_judge_raise(assignment: str, tmp_path: Path) -> None:
    with recorded(assignment, tmp_path) as (world, right):
        readers: dict[str, list[CheckSpec]] = {}
        for check in world.assignment.checks:
            if "cuda" in check.requires and not torch.cuda.is_available():
                continue  # it is never asked here

            def noted(request: ProbeRequest, check: CheckSpec = check) -> Evidence:
                found = readers.setdefault(request.digest, [])
                found += [check] if check not in found else []
                return right(request)

            found = one(world, check, noted)
            assert found.status in (Status.PASSED, Status.BY_HAND), (check.id, found.message)
        raised: dict[str, str] = {}
        for digest, checks in readers.items():
            request, true = right.kept[digest]
            told = f"{SEED} {assignment} {request.probe}".encode()
            rng = np.random.default_rng(int.from_bytes(hashlib.sha256(told).digest()[:8]))
            for what, lie in forged(true, rng):

                def ask(request: ProbeRequest, digest: str = digest, lie: Evidence = lie) -> Any:
                    return lie if request.digest == digest else right(request)

                for check in checks:
                    found = one(world, check, ask)
                    assert 0 <= found.score <= found.max_score, (found.id, request.probe, what)
                    if found.status is Status.UNGRADABLE or "the judge raised" in found.flag:
                        said = f"{found.id}: {found.flag or found.message}"
                        raised.setdefault(said, f"{request.probe}: {what}")
        results = judge(world, LoadReport("done"), lambda request: Evidence("done"))
    assert not raised, "\n".join(f"{k}   <- {v}" for k, v in raised.items())
    assert sum(r.score for r in results) == 0, "empty evidence earns nothing"
    assert Status.UNGRADABLE not in {r.status for r in results}


def test_headers_are_bounded() -> None:
    for text in (
        '{"data": ' + "[" * 40 + "]" * 40 + "}",
        '{"data": ' + "9" * 400 + "}",
        '{"data": -' + "9" * 30 + "}",
    ):
        with pytest.raises(FiveBeatsError):
            parse_header(text.encode())
