"""`choice` and `by_hand`: what a student answers in words, and who judges it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.checks.by_hand import answers_of, marked
from autograder.checks.judge import World
from autograder.errors import ConfigError
from autograder.grading.grader import regrade
from autograder.model import Adjustment, LoadReport, Program, Result, Status, total
from autograder.results import adjustments
from autograder.results.files import summary
from tests.own_checks import Lab, outline


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


WRONG = {
    "a": "the rate is the same in both",
    "C": {"says": "that is the loss after the step", "bug": "wrong_value"},
}


def question(**options: Any) -> dict[str, Any]:
    return {"use": "choice", "with": {"key": "q1", "right": "b", "wrong": WRONG, **options}}


@pytest.mark.parametrize("chosen", ["'b'", "' B '", "torch.tensor([1]) and 'b'"])
def test_the_right_answer_passes_however_it_is_written(lab: Lab, chosen: str) -> None:
    assert outline(lab.one(f"ANSWERS = {{'q1': {chosen}}}\n", question())) == ("passed", [])


@pytest.mark.parametrize(
    ("program", "bugs", "said"),
    [
        ("ANSWERS = {'q1': 'a'}", [], "the rate is the same in both"),
        ("ANSWERS = {'q1': 'c'}", ["wrong_value"], "the loss after the step"),
        ("ANSWERS = {'q1': None}", [], "no answer yet"),
        ("ANSWERS = {'q1': ...}", [], "no answer yet"),
        ("ANSWERS = {'q1': ''}", [], "no answer yet"),
        ("ANSWERS = {'q1': 'd'}", [], "none of the answers"),
        ("ANSWERS = {'q1': 'b or a'}", [], "none of the answers"),
        ("ANSWERS = {'q2': 'b'}", ["missing_name"], "ANSWERS['q1'] is not there"),
        ("ANSWERS = 'b'", ["missing_name"], "ANSWERS is 'b'"),
        ("answers = {'q1': 'b'}", ["missing_name"], "'ANSWERS' is not defined"),
    ],
)
def test_a_wrong_answer_says_what_is_wrong_with_it(
    lab: Lab, program: str, bugs: list[str], said: str
) -> None:
    found = lab.one(program + "\n", question())
    assert outline(found) == ("failed", bugs) and said in found.message


def test_an_answer_may_be_a_number_or_stand_alone(lab: Lab) -> None:
    step = {"variable": "CULPRIT", "right": 47, "wrong": {48: "that is the step after it"}}
    check = {"use": "choice", "with": step}
    assert outline(lab.one("CULPRIT = 47\n", check))[0] == "passed"
    assert outline(lab.one("CULPRIT = torch.tensor(47.0)\n", check))[0] == "passed"
    assert "step after" in lab.one("CULPRIT = 48\n", check).message
    listed = question(key=1, right=["x", "y"], wrong={"z": "no"})
    assert outline(lab.one("ANSWERS = {1: 'y'}\n", listed))[0] == "passed"
    assert outline(lab.one("ANSWERS = ['z', 'x']\n", listed))[0] == "passed"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (question(wrong={"B": "no"}), "right and wrong"),
        (question(wrong={"a": ""}), "without a text"),
        (question(wrong={"a": {"says": "x", "bug": "nothing"}}), "unknown bug"),
        ({**question(), "visibility": "public"}, "would show its answer"),
        ({"use": "choice", "with": {"right": "a"}}, "lacks the option 'wrong'"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    lab: Lab, check: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.assignment(check)
    assert said in str(caught.value)


# --- read by a person -----------------------------------------------------------------------------

RUBRIC = [{"points": 1, "says": "names the turn"}, {"points": 1, "says": "compares the gaps"}]
ESSAY = {"id": "essay", "use": "by_hand", "with": {"rubric": RUBRIC}}
TEXT = "The loss turns at 15.\n\n# not a heading of ours\nThe gap grows."


def graded(lab: Lab, text: str) -> Result:
    assignment = lab.assignment(ESSAY, {"id": "other", **question(), "needs": []})
    program = Program("script", "m.py", (f"x = 1\n{text}\n",))
    world = World(assignment, answers=answers_of(program, assignment))
    only = replace(
        world, assignment=assignment.model_copy(update={"checks": assignment.checks[:1]})
    )
    return regrade(only, "sha256:0", "ada", LoadReport("timeout", detail="too long"), {})


def test_a_text_counts_on_neither_side_until_a_person_read_it(lab: Lab) -> None:
    result = graded(lab, marked("essay", TEXT))
    (check,) = result.checks
    assert check.status is Status.BY_HAND and check.answer == TEXT
    assert check.rubric == ((1.0, "names the turn"), (1.0, "compares the gaps"))
    assert (result.score, result.max_score, result.status) == (0, 0, "graded")
    assert total(result.checks) == (0, 0, True)
    assert "waits for a person" in summary(result)
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("given", "status", "score"), [(0, "failed", 0), (1.5, "partial", 1.5), (2, "passed", 2)]
)
def test_points_of_a_person_take_its_place(
    lab: Lab, given: float, status: str, score: float
) -> None:
    result = graded(lab, marked("essay", TEXT))
    said = Adjustment("ada", "t", "essay", "set", given, "well seen", "Dr. B", "2026-01-01")
    after = adjustments.on_checks(result, [said])
    (check,) = after.checks
    assert (str(check.status), check.score) == (status, score)
    assert (after.score, after.max_score) == (score, 2)
    assert check.answer == TEXT and "waits" not in summary(after) and "well seen" in summary(after)
    assert adjustments.on_checks(result, [replace(said, check="other")]) == result


def test_what_is_no_text_is_none(lab: Lab) -> None:
    for text in (
        "",
        "# BEGIN ANSWER essay\n# END ANSWER",
        "# BEGIN ANSWER other\n# x\n# END ANSWER",
    ):
        assert graded(lab, text).checks[0].answer == ""
    assignment = lab.assignment(ESSAY)
    cell = Program("notebook", "m.ipynb", ("x = 1",), {"essay": " my text\n"})
    assert answers_of(cell, assignment) == {"essay": "my text"}


@pytest.mark.parametrize(
    ("rubric", "said"),
    [
        ([{"points": 1, "says": "x"}], "its rubric 1"),
        ([{"point": 2, "says": "x"}], "{points, says}"),
        ([{"points": "two", "says": "x"}], "another kind"),
        ("two points", "a list"),
    ],
)
def test_a_rubric_that_cannot_be_read_is_refused(lab: Lab, rubric: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.assignment({**ESSAY, "with": {"rubric": rubric}})
    assert said in str(caught.value)
