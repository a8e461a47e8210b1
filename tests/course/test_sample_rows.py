"""A sample is held to its row, as far as where it is graded can judge it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.course import config
from autograder.course.samples import problems
from autograder.model import CheckResult, Result, Status, Visibility
from tests.samples import ROOT, expected

BUG = Path("bug_wrong_architecture__lightning")
ROW = {"lost": ["lit_shape"], "bugs": ["wrong_architecture"]}


def result(**statuses: tuple[Status, tuple[str, ...]]) -> Result:
    """A graded result with these checks, each of a point."""
    checks = tuple(
        CheckResult(
            id=name,
            title=name,
            task=1,
            status=status,
            score=float(status is Status.PASSED),
            max_score=1.0,
            visibility=Visibility.HIDDEN,
            bugs=bugs,
            message="",
        )
        for name, (status, bugs) in statuses.items()
    )
    return Result("a", "s", "", "graded", 1.0, float(len(checks)), checks)


def told(row: dict[str, Any], **statuses: tuple[Status, tuple[str, ...]]) -> list[str]:
    return problems(result(**statuses), BUG, row)


def test_what_a_row_says_is_lost_must_be_lost_and_named() -> None:
    failed, passed = (Status.FAILED, ("wrong_architecture",)), (Status.PASSED, ())
    assert told(ROW, lit_shape=failed, run=passed) == []
    assert told(ROW, lit_shape=passed, run=passed) == [
        "should have lost lit_shape",
        "did not name wrong_architecture",
    ]
    assert told(ROW, lit_shape=failed, run=(Status.FAILED, ())) == [
        "should not have lost run (failed: )"
    ]


def test_what_is_left_open_there_cannot_be_lost() -> None:
    away, passed = (Status.DEFERRED, ()), (Status.PASSED, ())
    assert told(ROW, lit_shape=away, run=passed) == []
    both = {"lost": ["lit_shape", "run"], "bugs": ["wrong_architecture"]}
    assert told(both, lit_shape=away, run=passed) == [
        "should have lost run",
        "did not name wrong_architecture",
    ]


@pytest.mark.parametrize("harm", ["", "__disguised", "__accumulation"])
def test_gradients_that_are_never_cleared_cost_more_than_a_warm_up_that_is_off_by_one(
    harm: str,
) -> None:
    """Points follow the harm: the first ruins the training, the second moves a curve by a step."""
    name = "08-schedule-and-resume"
    checks = config.assignment(ROOT / "assignments" / name / "assignment.yml").checks
    points, rows = {c.id: c.points for c in checks}, expected(name)

    def cost(sample: str) -> float:
        return sum(points[c] for c in rows[sample]["lost"])

    assert cost(f"bug_missing_zero_grad{harm}") > cost("bug_wrong_value__warmup_from_zero")
