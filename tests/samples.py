"""The sample submissions, as tests ask for them; shared by several modules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from autograder.course import config, samples
from autograder.course.samples import KEPT, problems
from autograder.grading.grader import Grader
from autograder.intake.collect import collect
from autograder.intake.handout import handouts
from autograder.model import Limits, Result

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = sorted(p.parent.name for p in ROOT.glob("assignments/*/assignment.yml"))
"""The ids of all assignments there are."""


class QuickGrader(Grader):
    """A grader that waits less for programs without an end than a class would."""

    endless = False
    """Whether the next submission is one that is known to have no end."""

    def limits(self, assignment: config.Assignment) -> Limits:
        wall_s, check_s = (10.0, 8.0) if self.endless else (25.0, 20.0)
        return dataclasses.replace(super().limits(assignment), wall_s=wall_s, check_s=check_s)


def _samples(assignment: str) -> Path:
    return ROOT / "assignments" / assignment / "submissions"


def folders(assignment: str) -> list[Path]:
    """The sample folders of an assignment."""
    return samples.folders(_samples(assignment))


def expected(assignment: str) -> dict[str, Any]:
    """The rows of an assignment's `expected.yml`."""
    return samples.expected(_samples(assignment))


def graded(grader: Grader, assignment: str, folder: Path) -> Result:
    """The result of one sample, by the way every submission goes."""
    spec = grader.assignment(assignment)
    known = {spec.id: spec.module}
    found, refused = collect([folder], assignment, known, handouts(grader.root, known))
    assert not refused, refused
    (submission,) = found
    return grader.grade(submission).result


def check_points(result: Result) -> None:
    """Full marks where nothing is lost, and never more than the maximum."""
    assert 0 <= result.score <= result.max_score
    if all(c.status in KEPT for c in result.checks):
        assert result.score == result.max_score


__all__ = [
    "ASSIGNMENTS",
    "ROOT",
    "QuickGrader",
    "check_points",
    "expected",
    "folders",
    "graded",
    "problems",
]
