"""Every sample submission of 01-autograd gets the verdict its folder's name says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.authoring.build import reference
from autograder.model import Submission
from tests.samples import ROOT, QuickGrader, check_points, expected, folders, graded, problems

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ASSIGNMENT = "01-autograd"


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


@pytest.mark.parametrize("folder", folders(ASSIGNMENT), ids=lambda p: p.name)
def test_verdict(grader: QuickGrader, folder: Path) -> None:
    result = graded(grader, ASSIGNMENT, folder)
    found = problems(result, folder, expected(ASSIGNMENT).get(folder.name))
    assert not found, "\n".join(found)
    check_points(result)


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_the_reference_gets_everything(grader: QuickGrader, kind: str) -> None:
    spec = grader.assignment(ASSIGNMENT)
    program = reference(ROOT / "source" / ASSIGNMENT, spec, kind)
    result = grader.grade(Submission("reference", ASSIGNMENT, program, {})).result
    assert (result.score, result.max_score) == (20, 20), [c.message for c in result.checks]


@pytest.mark.parametrize("name", ["autograd.py", "autograd.ipynb"])
def test_the_release_as_it_comes_gets_nothing(grader: QuickGrader, name: str) -> None:
    result = graded(grader, ASSIGNMENT, ROOT / "release" / ASSIGNMENT / name)
    assert result.status == "graded"
    assert result.score == 0
