"""A small class graded in the container image gets the grades that bubblewrap gives it."""

from __future__ import annotations

import pytest

from autograder.model import Result
from tests.conftest import ENGINE
from tests.samples import ROOT, QuickGrader, expected, graded, problems

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
CLASS = (
    ("05-five-beats", "correct_plain"),
    ("05-five-beats", "correct_notebook_display"),
    ("05-five-beats", "bug_missing_zero_grad"),
    ("05-five-beats", "bug_pickles_whole_model"),
    ("05-five-beats", "bug_wrong_device"),
    ("05-five-beats", "hostile_exit"),
    ("04-training-loop", "correct_clip_and_device"),
    ("04-training-loop", "bug_missing_eval_mode"),
    ("04-training-loop", "hostile_forged_result"),
)


def verdicts(result: Result) -> list[tuple[str, str, float, tuple[str, ...]]]:
    return [(c.id, str(c.status), c.score, c.bugs) for c in result.checks]


def test_the_same_grades(engine_image: str) -> None:
    found: dict[str, list[Result]] = {}
    for name in ("bubblewrap", ENGINE):
        with QuickGrader(ROOT, name) as grader:
            folders = [ROOT / "assignments" / a / "submissions" / sample for a, sample in CLASS]
            found[name] = [
                graded(grader, a, folder) for (a, _), folder in zip(CLASS, folders, strict=True)
            ]
    for (assignment, sample), boxed, contained in zip(
        CLASS, found["bubblewrap"], found[ENGINE], strict=True
    ):
        folder = ROOT / "assignments" / assignment / "submissions" / sample
        assert not problems(contained, folder, expected(assignment).get(sample)), sample
        assert verdicts(contained) == verdicts(boxed), sample
        assert contained.environment["sandbox"] == ENGINE
