"""Evidence is testimony: whatever a box sends, a judge answers, and never in its favour by fault.

Real evidence of a correct program is spoiled, one field at a time. A judge may still pass a
check that the field does not bear on; it must not raise, which would make the check
`ungradable` and let a submission escape its grade.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checks import own
from autograder.checks.judge import World, judge
from autograder.course import config, images
from autograder.errors import FiveBeatsError
from autograder.model import Evidence, LoadReport, ProbeRequest, Status
from autograder.sandbox.evidence import parse_header
from tests.harness import ROOT, ForkedRun

HOME = ROOT / "assignments" / "04-training-loop"
SPEC = config.assignment(HOME / "assignment.yml")
CHECKS = tuple(c.model_copy(update={"needs": ()}) for c in SPEC.checks if c.use != "accuracy")
WORLD = World(SPEC.model_copy(update={"checks": CHECKS}))

JUNK: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, "", "x" * 500, "nan", [], [None], [[[]]], [{}], {},
    {"value": "inf"}, [{"training": 3, "epoch": "x", "dtype": [], "backward": True}],
]  # fmt: skip
ARRAYS = [
    np.zeros(()), np.zeros((0,)), np.zeros((0, 0)), np.full((2, 2), np.nan), np.zeros((3, 10)),
    np.ones((1, 2, 3, 4)), np.full((7, 10), np.inf), np.zeros((10, 10), dtype=bool),
]  # fmt: skip


class Witness:
    """Answers requests with the evidence of one program, each probe run once."""

    def __init__(self, run: ForkedRun) -> None:
        self.run, self.kept = run, dict[str, tuple[ProbeRequest, Evidence]]()

    def ask(self, request: ProbeRequest) -> Evidence:
        if request.digest not in self.kept:
            self.kept[request.digest] = (request, self.run.ask(request))
        return self.kept[request.digest][1]


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    assert SPEC.data is not None
    root: Path = images.prepare(SPEC.data, SPEC.seed, None, tmp_path_factory.mktemp("c")).root
    text = (HOME / "submissions" / "correct_plain" / "training_loop.py").read_text()
    text = re.sub(r"if __name__ == .__main__.", "if False", text)
    found = Witness(ForkedRun("script", "training_loop.py", [text], root))
    found.run.probes = own.probes(SPEC)
    results = judge(WORLD, LoadReport("done"), found.ask)
    assert {r.id: r.message for r in results if r.status is not Status.PASSED} == {}
    return found


def spoiled(witness: Witness) -> list[tuple[str, str, Evidence]]:
    """(digest, what was done, evidence) for every field of every probe's answer."""
    found = []
    for digest, (request, real) in witness.kept.items():
        for name in real.data:
            for junk in JUNK:
                forged = dataclasses.replace(real, data={**real.data, name: junk})
                found.append((digest, f"{request.probe} {name}={junk!r:.40}", forged))
        for name in real.tensors:
            for array in ARRAYS:
                forged = dataclasses.replace(real, tensors={**real.tensors, name: array})
                found.append((digest, f"{request.probe} {name} {array.shape}", forged))
        found.append((digest, f"{request.probe} empty", Evidence("done")))
    return found


def test_no_forged_evidence_makes_a_judge_raise(witness: Witness) -> None:
    cases = spoiled(witness)
    assert len(cases) > 500
    for digest, what, forged in cases:

        def ask(request: ProbeRequest, digest: str = digest, forged: Evidence = forged) -> Evidence:
            return forged if request.digest == digest else witness.ask(request)

        for result in judge(WORLD, LoadReport("done"), ask):
            assert result.status is not Status.UNGRADABLE, (what, result.id, result.message)


def test_empty_evidence_earns_nothing(witness: Witness) -> None:
    results = judge(WORLD, LoadReport("done"), lambda request: Evidence("done"))
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
