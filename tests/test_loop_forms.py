"""The same loop gets the same verdict in every form, right or wrong."""

from __future__ import annotations

import pytest

from autograder import config
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program
from tests.loop_forms import ASSIGNMENTS, CHECKS, FORMS, RIGHT, WRONG, program

pytestmark = pytest.mark.slow


def verdicts(form: str, text: str) -> dict[str, CheckResult]:
    """What the loop's checks of the form's assignment say, by question."""
    path = ROOT / "assignments" / ASSIGNMENTS[form] / "assignment.yml"
    assignment = config.assignment(path)
    run = ForkedRun("script", f"{assignment.module}.py", [text])
    found = judge_program(assignment, run, list(CHECKS[form].values()))
    return {question: found[check] for question, check in CHECKS[form].items()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_loop_passes_in_every_form(form: str, name: str) -> None:
    variation = RIGHT[name]
    if form == "function" and variation.own:
        pytest.skip("a function is handed its optimizer and its loss")
    found = verdicts(form, program(form, variation))
    told = {q: (r.bugs, r.message) for q, r in found.items() if r.status != "passed"}
    assert not told, told


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", WRONG)
def test_a_bug_gets_one_name_in_every_form(form: str, name: str) -> None:
    bug = WRONG[name]
    if bug.question not in CHECKS[form]:
        pytest.skip(f"{form} is not asked for {bug.question}")
    found = verdicts(form, program(form, bug.variation))
    assert bug.name in found[bug.question].bugs, found[bug.question]
    named = {b for r in found.values() for b in r.bugs} - {bug.name}
    assert named <= {"missing_step"} & {"missing_step" if "backward" in name else ""}, found
