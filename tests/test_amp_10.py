"""What assignment 10 asks of `amp_payoff` on a GPU, judged from what a probe would tell of it."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks.judge import World, judge
from autograder.course import config
from autograder.model import Evidence, LoadReport, ProbeRequest
from tests.samples import ROOT

FOLDER = ROOT / "assignments" / "10-honest-numbers"
RUN = ["call", "step"]
WARM = [*RUN, "wait", "reset"]
TIMED = ["clock", *RUN, "wait", "clock", "peak"]
GOOD = [*WARM, *TIMED, "reset", *TIMED]


def _told(peak: float | None = 12.5, accuracy: float = 0.7) -> dict[str, Any]:
    def number(value: float | None) -> dict[str, Any]:
        return {"is": "none"} if value is None else {"is": "number", "value": value}

    one = {"seconds": number(0.3), "peak_mb": number(peak), "accuracy": number(accuracy)}
    return {n: {"is": "dict", "type": "dict", "items": one} for n in ("fp32", "amp")}


def _calls(*runs: tuple[bool, float]) -> list[dict[str, Any]]:
    """Two trained calls a run: whether in 16 bits, and where its weights begin."""
    return [
        {"rows": 128, "which": k, "parameters": 203_530, "at": at + k, "half": half}
        for half, at in runs
        for k in range(2)
    ]


def _judged(clock: list[str], calls: list[dict[str, Any]], **told: Any) -> tuple[str, list[str]]:
    spec = config.assignment(FOLDER / "assignment.yml")
    only = tuple(c for c in spec.checks if c.id == "amp_on_a_gpu")
    data = {
        "returned": {"is": "dict", "type": "dict", "items": _told(**told)},
        "raised": None,
        "calls": calls,
        "clock": clock,
        "asked": [1, 2, 3],
        "trained": [1, 2],
        "stale": 0,
    }
    asked: list[ProbeRequest] = []

    def ask(request: ProbeRequest) -> Evidence:
        asked.append(request)
        return Evidence("done", data)

    world = World(spec.model_copy(update={"checks": only}), device="cuda")
    (found,) = judge(world, LoadReport("done"), ask)
    assert [r.args["device"] for r in asked] == ["cuda"]
    return str(found.status), list(found.bugs)


FAIR = _calls((False, 1.0), (True, 1.0))


def test_a_careful_measurement_passes() -> None:
    assert _judged(GOOD, FAIR) == ("passed", [])


def test_events_and_a_warm_up_of_either_kind_pass() -> None:
    events = [*WARM, *RUN, "wait", "event", "peak", "reset", *RUN, "wait", "event", "peak"]
    warm = _calls((True, 7.0), (False, 1.0), (True, 1.0))
    assert _judged(events, warm) == ("passed", [])
    assert _judged(GOOD, _calls((False, 7.0), (True, 1.0), (False, 1.0))) == ("passed", [])


@pytest.mark.parametrize(
    "clock",
    [
        [w for w in GOOD if w != "wait"],  # the clock is read while the GPU works
        [*WARM, "clock", *RUN, "clock", "wait", "peak", "reset", "clock", *RUN, "clock", "peak"],
        [w for k, w in enumerate(GOOD) if w != "reset" or k < 5],  # the second has the first's peak
        [w for w in GOOD if w != "peak"],
        [w for w in GOOD if w != "clock"],
    ],
)
def test_a_careless_one_does_not(clock: list[str]) -> None:
    assert _judged(clock, FAIR) == ("failed", ["wrong_value"])


@pytest.mark.parametrize(
    "calls",
    [
        _calls((False, 1.0), (True, 5.0)),  # goes on with the network of the first
        _calls((False, 1.0), (False, 1.0)),
        _calls((True, 1.0), (True, 1.0)),
    ],
)
def test_unlike_trainings_do_not(calls: list[dict[str, Any]]) -> None:
    assert _judged(GOOD, calls) == ("failed", ["wrong_value"])


def test_a_peak_is_a_number_on_a_gpu() -> None:
    assert _judged(GOOD, FAIR, peak=None) == ("failed", ["wrong_value"])


def test_without_a_gpu_it_is_left_open() -> None:
    spec = config.assignment(FOLDER / "assignment.yml")
    only = tuple(c for c in spec.checks if c.requires)

    def never(request: ProbeRequest) -> Evidence:
        raise AssertionError(request.probe)

    world = World(spec.model_copy(update={"checks": only}), lacks=frozenset({"cuda", "lightning"}))
    found = judge(world, LoadReport("done"), never)
    assert {str(c.status) for c in found} == {"deferred"}
    assert sum(c.max_score for c in found) == 1 + 2.5
