"""Evidence of a bare script that was not made here, or contradicts itself, earns nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from autograder.checks.bare_scene import bare_scene

from autograder import config
from autograder.judge import World, judge
from autograder.model import CheckResult, Evidence, LoadReport, Status
from tests.bare import CHECKS, PROGRAM, changed
from tests.harness import ROOT, ForkedRun

SPEC = config.assignment(ROOT / "assignments" / "06-line-by-line" / "assignment.yml")
KEPT = tuple(c.model_copy(update={"needs": ()}) for c in SPEC.checks if c.id in CHECKS)
LOOP = {"zero_grad", "beats", "objective", "rate"}


def world(seed: int) -> World:
    return World(SPEC.model_copy(update={"checks": KEPT, "seed": seed}))


def evidence(seed: int, source: str = PROGRAM) -> Evidence:
    asked = bare_scene(world(seed).context(KEPT[0])).request
    found = ForkedRun("script", "line_by_line.py", [source]).ask(asked)
    assert found.status == "done"
    return found


def verdict(seed: int, found: Evidence) -> dict[str, CheckResult]:
    return {r.id: r for r in judge(world(seed), LoadReport("done"), lambda request: found)}


@pytest.fixture(scope="module")
def honest() -> Evidence:
    return evidence(1)


def test_honest_evidence_passes(honest: Evidence) -> None:
    assert {r.status for r in verdict(1, honest).values()} == {Status.PASSED}


def test_an_answer_known_by_heart_does_not_fit_secret_images(honest: Evidence) -> None:
    found = verdict(2, honest)
    assert {k for k, r in found.items() if r.status is Status.PASSED} & {*LOOP, "printed"} == set()
    assert "could not be matched with the training images" in found["beats"].message


def test_beginnings_that_contradict_the_steps_are_refused(honest: Evidence) -> None:
    start = np.random.default_rng(0).normal(0, 0.01, honest.tensors["start"].shape)
    forged = replace(honest, tensors={**honest.tensors, "start": start.astype(np.float32)})
    assert {r.status for r in verdict(1, forged).values()} == {Status.ERROR}


def test_invented_weights_are_no_steps(honest: Evidence) -> None:
    states = honest.tensors["states"].copy()
    states[1:] += np.random.default_rng(0).normal(0, 1e-3, states[1:].shape).astype(np.float32)
    found = verdict(1, replace(honest, tensors={**honest.tensors, "states": states}))
    assert {k for k, r in found.items() if r.status is not Status.PASSED} == LOOP


def test_a_figure_is_held_against_the_final_weights(honest: Evidence) -> None:
    final = np.roll(honest.tensors["final"], 1)
    found = verdict(1, replace(honest, tensors={**honest.tensors, "final": final}))
    assert found["printed"].bugs == ("wrong_accuracy",)


def test_the_same_words_without_the_work_are_not_believed() -> None:
    source = changed(("loss.backward()", "0"), ("optimizer.step()", "0"))
    found = verdict(1, evidence(1, source))
    assert found["beats"].bugs == ("missing_backward", "missing_step")
    assert found["printed"].status is not Status.PASSED
