"""Every sample submission of every assignment gets the verdict its folder's name says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.authoring.master import reference
from autograder.model import Submission
from tests.samples import (
    ASSIGNMENTS,
    ROOT,
    QuickGrader,
    check_points,
    expected,
    folders,
    graded,
    problems,
)

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


def _each(assignment: str, *more: object) -> pytest.param:  # type: ignore[valid-type]
    """A case of one assignment. All of an assignment's go to one worker, which has one template."""
    last = more[-1] if more else assignment
    name = last.name if isinstance(last, Path) else str(last)
    group = pytest.mark.xdist_group(f"samples of {assignment}")
    return pytest.param(assignment, *more, id=f"{assignment[:2]}-{name}", marks=group)


def _filed(assignment: str) -> list[str]:
    """The bug in each name of a folder that is a bug's sample."""
    names = (p.name for p in folders(assignment))
    return [n[4:].partition("__")[0] for n in names if n.startswith("bug_")]


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


@pytest.mark.parametrize(
    ("assignment", "folder"), [_each(a, f) for a in ASSIGNMENTS for f in folders(a)]
)
def test_verdict(grader: QuickGrader, assignment: str, folder: Path) -> None:
    grader.endless = folder.name.startswith("hostile_endless")
    result = graded(grader, assignment, folder)
    found = problems(result, folder, expected(assignment).get(folder.name))
    assert not found, "\n".join(found)
    check_points(result)


@pytest.mark.parametrize(
    ("assignment", "kind"), [_each(a, k) for a in ASSIGNMENTS for k in ("script", "notebook")]
)
def test_the_reference_gets_everything(grader: QuickGrader, assignment: str, kind: str) -> None:
    spec = grader.assignment(assignment)
    program = reference(ROOT / "source" / assignment, spec, kind)
    result = grader.grade(Submission("reference", assignment, program, {})).result
    away = grader.world(assignment).lacks  # without a GPU, what needs one is left open
    kept = [c for c in spec.checks if c.use != "by_hand" and not away.intersection(c.requires)]
    right = sum(c.points for c in kept)
    assert spec.points == 20
    assert (result.score, result.max_score) == (right, right), result.checks


@pytest.mark.parametrize(
    ("assignment", "ending"), [_each(a, e) for a in ASSIGNMENTS for e in (".py", ".ipynb")]
)
def test_the_release_as_it_comes_gets_next_to_nothing(
    grader: QuickGrader, assignment: str, ending: str
) -> None:
    handout = ROOT / "release" / assignment / f"{grader.assignment(assignment).module}{ending}"
    result = graded(grader, assignment, handout)
    assert result.status == "graded"
    assert result.score <= 0.05 * result.max_score


@pytest.mark.parametrize("assignment", [_each(a) for a in ASSIGNMENTS])
def test_every_bug_that_a_folder_is_called_after_is_named(assignment: str) -> None:
    named = {b for row in expected(assignment).values() for b in row.get("bugs", [])}
    assert set(_filed(assignment)) <= named


@pytest.mark.parametrize("assignment", [_each(a) for a in ASSIGNMENTS])
def test_every_check_is_lost_by_a_sample(grader: QuickGrader, assignment: str) -> None:
    """With `test_verdict` this says that no judge can pass everything unnoticed: each check that
    carries points is one that some sample must lose by name.
    """
    lost = {c for row in expected(assignment).values() for c in row.get("lost", [])}
    away = grader.world(assignment).lacks  # what is never asked here, no sample can lose here
    checks = (c for c in grader.assignment(assignment).checks if c.use != "by_hand")
    assert {c.id for c in checks if c.points and not away.intersection(c.requires)} <= lost


@pytest.mark.parametrize("assignment", [_each(a) for a in ASSIGNMENTS])
def test_there_are_correct_samples_in_many_styles(assignment: str) -> None:
    correct = [p for p in folders(assignment) if p.name.startswith("correct_")]
    notebooks = [p for p in correct if list(p.glob("*.ipynb"))]
    assert len(correct) >= 6
    assert notebooks
    assert len(correct) - len(notebooks) >= 2
