"""Every attack of `forge.py` through the real grader: no score beyond what the honest part earns.

An attack may not make itself `ungradable` either, for that would dodge a zero; and after all
of them the same grader still gives honest work its full marks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from autograder.course import config
from autograder.grading.grader import Grader
from autograder.model import Limits, Program, Result, Submission
from tests.attacks.backends import BACKENDS, ENGINE
from tests.attacks.forge import FORGE, INFORMED, INFORMED_BOUND, NOTHING, Forgery
from tests.samples import ROOT

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ID = "05-five-beats"
SAMPLES = ROOT / "assignments" / ID / "submissions"
HONEST = (SAMPLES / "correct_tensor_dataset" / "five_beats.py").read_text(encoding="utf-8")


class QuickGrader(Grader):
    """A grader that gives up on a hanging check sooner than a class would."""

    def limits(self, assignment: config.Assignment) -> Limits:
        limits = super().limits(assignment)
        return dataclasses.replace(limits, wall_s=40.0, check_s=15.0, total_s=100.0)


@pytest.fixture(scope="module", params=BACKENDS)
def grader(request: pytest.FixtureRequest) -> Iterator[Grader]:
    if request.param == ENGINE:
        request.getfixturevalue("engine_image")
    with QuickGrader(ROOT, request.param) as made:
        yield made


def base(name: str) -> str:
    """The honest part of an attack."""
    if name == "nothing":
        return NOTHING
    assert name == "untrained"
    assert "lr=1e-3" in HONEST
    return HONEST.replace("lr=1e-3", "lr=1e-7")


def graded(grader: Grader, code: str, attack: Forgery | None = None) -> Result:
    kind = attack.kind if attack else "script"
    name = "five_beats.ipynb" if kind == "notebook" else "five_beats.py"
    parts = (attack.before, code, attack.after) if attack else (code,)
    cells = parts if kind == "notebook" else ("\n".join(parts),)
    files = dict(attack.files) if attack else {}
    return grader.grade(Submission("mallory", ID, Program(kind, name, cells), files)).result  # type: ignore[arg-type]


def said(result: Result) -> str:
    lines = [f"{result.score:g} of {result.max_score:g}", *result.notes]
    return "\n".join(
        [*lines, *(f"{c.id}: {c.status} {c.score:g} {c.message[:200]}" for c in result.checks)]
    )


@pytest.mark.parametrize("attack", FORGE, ids=lambda a: a.name)
def test_no_score_without_the_work(grader: Grader, attack: Forgery) -> None:
    result = graded(grader, base(attack.base), attack)
    assert result.status == "graded", said(result)
    assert result.score <= attack.bound * result.max_score, f"{attack.harm}:\n{said(result)}"
    accuracy = next(c for c in result.checks if c.id == "accuracy")
    assert accuracy.score == 0, said(result)


def test_honest_work_is_unharmed_afterwards(grader: Grader) -> None:
    result = graded(grader, HONEST)
    assert result.score == result.max_score, said(result)


@pytest.mark.parametrize("attack", [a for a in FORGE if a.twin], ids=lambda a: a.name)
def test_its_honest_twin_keeps_full_marks(grader: Grader, attack: Forgery) -> None:
    result = graded(grader, f"{HONEST}\n{attack.twin}\n")
    assert (result.status, result.score) == ("graded", result.max_score), said(result)
    assert not any("while running the program" in note for note in result.notes), said(result)


def test_what_a_forger_who_knows_every_probe_gets(grader: Grader) -> None:
    """A known limit, held at what it is: testimony can be forged, what is computed cannot."""
    result = graded(grader, INFORMED + NOTHING)
    assert result.status == "graded", said(result)
    assert result.score <= INFORMED_BOUND * result.max_score, said(result)
    computed = ("mlp_logits", "mlp_nonlinear", "objective", "epoch_loss", "evaluate_accuracy")
    scores = {c.id: c.score for c in result.checks}
    assert [scores[name] for name in (*computed, "accuracy")] == [0.0] * 6, said(result)
