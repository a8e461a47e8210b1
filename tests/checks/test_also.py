"""What finders see in the student's own run: told beside the checks, and it costs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from autograder.checks import also
from autograder.course import config, samples
from autograder.errors import GraderError, MachineLostError
from autograder.grading.grader import Grader, regrade
from autograder.model import AlsoSeen, Evidence, LoadReport, ProbeRequest, Program, Submission
from autograder.watch.findings import Finding
from tests.harness import ForkedRun
from tests.samples import ROOT

LOOP = """
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(64, 5), torch.randint(0, 3, (64,))
net = nn.Linear(5, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    for i in range(0, 64, 8):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[i:i + 8]), y[i:i + 8])
        loss.backward()
        optimizer.step()
"""
NEVER = LOOP.replace("optimizer.zero_grad()", "pass")
HIGH = LOOP.replace("lr=0.1", "lr=1e6")
TRAINED = LoadReport("done", data={"trained": True})
TEXTS, IMAGES = (
    config.assignment(ROOT / "assignments" / name / "assignment.yml")
    for name in ("08-schedule-and-resume", "04-training-loop")
)


def seen(
    source: str, assignment: config.Assignment = TEXTS, named: Sequence[str] = ()
) -> tuple[AlsoSeen, ...]:
    run = ForkedRun("script", "m.py", [source])
    found, looked = also.also_seen(assignment, TRAINED, run.ask, named)
    assert looked == also.SEEN
    return found


def test_a_bug_is_told_with_its_place_unless_a_check_names_it() -> None:
    (one,) = seen(NEVER)
    line = 1 + next(i for i, text in enumerate(NEVER.splitlines()) if "backward" in text)
    assert (one.bug, one.line, one.cell, one.file) == ("missing_zero_grad", line, None, "")
    assert str(one).endswith(f"(line {line})") and str(one).startswith("missing_zero_grad: ")
    assert seen(NEVER, named=["missing_zero_grad"]) == ()
    assert seen(LOOP) == ()


def test_what_is_a_matter_of_how_many_images_there_are_is_not_told_of_a_few() -> None:
    assert [one.bug for one in seen(HIGH)] == ["lr_too_high"]
    assert IMAGES.data is not None and seen(HIGH, IMAGES) == ()


def test_what_follows_from_a_named_bug_is_not_another(monkeypatch: pytest.MonkeyPatch) -> None:
    made = (Finding("stale_optimizer", "no gradient came"), Finding("nan_loss", "it is none"))
    monkeypatch.setattr(also, "findings", lambda log: made)
    assert [one.bug for one in seen(LOOP)] == ["stale_optimizer", "nan_loss"]
    assert [one.bug for one in seen(LOOP, named=["missing_backward"])] == ["nan_loss"]
    noted = (dataclasses.replace(made[1], kind="note"),)
    monkeypatch.setattr(also, "findings", lambda log: noted)
    assert seen(LOOP) == ()


def told(evidence: Evidence) -> Callable[[ProbeRequest], Evidence]:
    return lambda request: evidence


def lost(request: ProbeRequest) -> Evidence:
    raise GraderError("no evidence was kept", remedy="grade it again")


OUTLINE = {"events": [], "places": [], "counts": {}, "errors": [], "steps": 0}


@pytest.mark.parametrize(
    ("load", "ask", "why"),
    [
        (LoadReport("timeout"), lost, "did not come to its end"),
        (LoadReport("done"), lost, "trained nothing"),
        (LoadReport("done", data={"trained": "yes"}), lost, "trained nothing"),
        (TRAINED, lost, "no evidence was kept"),
        (TRAINED, told(Evidence("timeout", detail="after 20 s")), "after 20 s"),
        (TRAINED, told(Evidence("done", {"unseen": "an observer failed"})), "an observer failed"),
        (TRAINED, told(Evidence("done", {})), "tampered with"),
        (TRAINED, told(Evidence("done", OUTLINE | {"events": [{"k": "forward"}]})), "not seen"),
        (TRAINED, told(Evidence("done", OUTLINE | {"events": [{"k": "cut"}] * 6001})), "too many"),
    ],
)
def test_where_nothing_can_be_read_nothing_is_told_and_it_is_said(
    load: LoadReport, ask: Callable[[ProbeRequest], Evidence], why: str
) -> None:
    found, looked = also.also_seen(TEXTS, load, ask, ())
    assert found == () and looked.startswith("not seen: ") and why in looked


def test_a_lost_machine_is_no_answer() -> None:
    def gone(request: ProbeRequest) -> Evidence:
        raise MachineLostError("a worker")

    with pytest.raises(MachineLostError):
        also.also_seen(TEXTS, TRAINED, gone, ())


def test_a_bug_beside_the_tasks_costs_nothing_and_is_kept_for_judging_again() -> None:
    folder = samples.folders(ROOT / "assignments" / TEXTS.id / "submissions")
    plain = next(f for f in folder if f.name == "correct_plain")
    text = next(plain.glob("*.py")).read_text()
    program = Program("script", f"{TEXTS.module}.py", (text + NEVER,))
    with Grader(ROOT) as grader:
        graded = grader.grade(Submission("ann", TEXTS.id, program, {}))
        world = grader.world(TEXTS.id)
    result = graded.result
    assert result.score == result.max_score and result.bugs == ()
    assert [one.bug for one in result.also_seen] == ["missing_zero_grad"]
    assert result.run["recorder"] == "seen"
    assert dataclasses.replace(result, also_seen=()) != type(result).from_json(result.to_json())
    assert type(result).from_json(result.to_json()) == result

    def again(evidence: dict[str, Evidence]) -> object:
        about = result.environment
        made = regrade(world, result.submission, "ann", graded.load, evidence, environment=about)
        return made.score, made.also_seen

    kept = dict(graded.evidence)
    assert again(kept) == (result.score, result.also_seen)
    del kept[also.REQUEST.digest]  # as of what was graded before there was a record
    assert again(kept) == (result.score, ())


def test_what_is_told_of_a_correct_sample_is_a_fault_of_the_finder(tmp_path: Path) -> None:
    one = AlsoSeen("missing_step", "a step never came", line=3)
    result = Grader(ROOT, "none")._lost(
        TEXTS, Submission("ann", TEXTS.id, Program("script", "m.py", ()), {}), GraderError("x")
    )
    graded = dataclasses.replace(result.result, status="graded", also_seen=(one,))
    assert samples.problems(graded, tmp_path / "correct_plain", None) == [
        "also saw falsely: missing_step: a step never came (line 3)"
    ]
    assert samples.problems(graded, tmp_path / "bug_x", {"lost": [], "bugs": []}) == []
