"""Every sample submission of 04-training-loop gets the verdict its folder's name says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import ROOT, QuickGrader, check_points, expected, folders, graded, problems

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ASSIGNMENT = "04-training-loop"


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


def test_every_bug_of_the_checks_has_a_sample() -> None:
    named = {b for row in expected(ASSIGNMENT).values() for b in row.get("bugs", [])}
    filed = {
        p.name[4:].partition("__")[0] for p in folders(ASSIGNMENT) if p.name.startswith("bug_")
    }
    assert filed <= named


def test_there_are_correct_samples_in_many_styles() -> None:
    correct = [p for p in folders(ASSIGNMENT) if p.name.startswith("correct_")]
    notebooks = [p for p in correct if list(p.glob("*.ipynb"))]
    assert len(correct) >= 6
    assert len(notebooks) >= 2
    assert len(correct) - len(notebooks) >= 2
