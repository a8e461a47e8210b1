"""Evidence that lies: whatever a forged answer holds, a judge gives a verdict of the student's.

A box's answer is written in the student's process, so every value in it may be anything that
JSON and safetensors can hold. A judge that raised over one would call the check `ungradable`,
and a zero would be dodged. Here every field of honest answers is replaced in turn by what a
forger might write; no judge may raise, and no score may grow.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder import config
from autograder.checks import Calibration, HiddenData, registry
from autograder.data import prepare
from autograder.errors import FiveBeatsError
from autograder.evidence import parse_header
from autograder.judge import World, judge
from autograder.model import Evidence, LoadReport, ProbeRequest, Status
from tests.harness import ROOT, ForkedRun

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
LIES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**62, 1e300, -0.5, "", "nan", "x" * 500, [], [None], [[]], ["x"],
    [2**62], [-1, 1e300], {}, {"a": None}, [{}], [{"training": "x", "function": []}],
)  # fmt: skip
SOURCES = {
    "04-training-loop": "source/04-training-loop/training_loop.py",
    "05-five-beats": "source/05-five-beats/five_beats.py",
    "06-line-by-line": "source/06-line-by-line/line_by_line.py",
}


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, of lists the first element only."""
    if at:
        yield at
    if isinstance(value, Mapping):
        for key in value:
            yield from paths(value[key], (*at, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*at, 0))


def lied(data: Mapping[str, Any], path: tuple[Any, ...], lie: Any) -> dict[str, Any]:
    """`data` with the value at `path` replaced."""
    out = copy.deepcopy(dict(data))
    place: Any = out
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = lie
    return out


@lru_cache(maxsize=2)
def honest(
    assignment_id: str, cache: str
) -> tuple[World, dict[str, ProbeRequest], dict[str, Evidence]]:
    """An assignment's world and a correct program's answers, by request digest."""
    spec = config.assignment(ROOT / "assignments" / assignment_id / "assignment.yml")
    assert spec.data is not None
    prepared = prepare(spec.data, spec.seed, None, Path(cache))
    hidden = HiddenData(
        prepared.dataset, prepared.fingerprint, prepared.hidden_images, prepared.hidden_labels
    )
    world = World(spec, hidden, Calibration((0.8, 0.81, 0.82), 0.78, 0.2))
    sample = next((ROOT / "assignments" / assignment_id / "submissions").glob("correct_plain/*.py"))
    run = ForkedRun("script", f"{spec.module}.py", [sample.read_text()], prepared.root)
    requests: dict[str, ProbeRequest] = {}
    for check in spec.checks:
        for request in registry()[check.use].requests(world.context(check)).values():
            requests[request.digest] = request
    return world, requests, {digest: run.ask(r) for digest, r in requests.items()}


def verdicts(world: World, evidence: Mapping[str, Evidence], digest: str) -> Iterator[Any]:
    """The results of the checks that read the answer `digest`, each on its own."""
    for spec in world.assignment.checks:
        asked = registry()[spec.use].requests(world.context(spec)).values()
        if any(r.digest == digest for r in asked):
            alone = spec.model_copy(update={"needs": ()})
            only = world.assignment.model_copy(update={"checks": (alone,)})
            one = World(only, world.hidden, world.calibration, world.device)
            yield from judge(one, LoadReport("done"), lambda r: evidence[r.digest])


@pytest.mark.parametrize("assignment_id", sorted(SOURCES))
def test_no_lie_makes_a_judge_raise(
    assignment_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world, requests, evidence = honest(assignment_id, str(tmp_path_factory.getbasetemp()))
    assert all(e.status == "done" for e in evidence.values())
    raised: dict[str, str] = {}
    for digest, request in requests.items():
        told = evidence[digest]
        forged = [
            (
                f"{request.probe}{list(path)}={str(lie)[:20]}",
                replace(told, data=lied(told.data, path, lie)),
            )
            for path in paths(told.data)
            for lie in LIES
        ]
        forged += [
            (
                f"{request.probe} without {key}",
                replace(told, data={k: v for k, v in told.data.items() if k != key}),
            )
            for key in told.data
        ]
        for name, array in told.tensors.items():
            for what, other in lying_tensors(array):
                tensors = {**told.tensors, name: other}
                forged.append(
                    (f"{request.probe} tensor {name} {what}", replace(told, tensors=tensors))
                )
        forged.append((f"{request.probe} empty", Evidence("done")))
        for what, lie in forged:
            for result in verdicts(world, {**evidence, digest: lie}, digest):
                if result.status is Status.UNGRADABLE:
                    raised.setdefault(f"{result.id}: {result.message}", what)
    assert not raised, "\n".join(f"{k}   <- {v}" for k, v in raised.items())


def lying_tensors(array: np.ndarray[Any, Any]) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """What may stand in the place of a tensor."""
    yield "empty", np.zeros((0,), array.dtype)
    yield "scalar", np.zeros((), array.dtype)
    yield "no rows", np.zeros((0, *array.shape[1:]), array.dtype)
    yield "zeros", np.zeros_like(array)
    yield "nan", np.full(array.shape, np.nan)
    yield "infinite", np.full(array.shape, np.inf)
    yield "huge", np.full(array.shape, 1e300)
    yield "bool", np.ones(array.shape, bool)
    yield "whole", np.full(array.shape, 2**62, np.int64)
    yield "small", np.full(array.shape, 255, np.uint8)
    yield "flat", array.reshape(-1)


def test_headers_are_bounded() -> None:
    for text in (
        '{"data": ' + "[" * 40 + "]" * 40 + "}",
        '{"data": ' + "9" * 400 + "}",
        '{"data": -' + "9" * 30 + "}",
    ):
        with pytest.raises(FiveBeatsError):
            parse_header(text.encode())
