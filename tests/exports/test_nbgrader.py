"""nbgrader's side: sources it can take, and our scores in a real gradebook.

Its commands are run for real in tests/end_to_end; here only its Gradebook is.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from nbgrader.api import Gradebook

from autograder.course import config
from autograder.errors import InputError
from autograder.exports import nbgrader
from autograder.exports.base import Export
from autograder.model import CheckResult, Lateness, Result, Status, Visibility
from tests.authoring.test_build import circles, grading, write_master

pytestmark = pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, at nbgrader's use of it
NAME = "01-circles"
ESSAY = """
# %% [markdown] nbgrader={meta}
# Say in your own words why.
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one assignment, with a cell that a person grades."""
    (tmp_path / "source").mkdir()
    master = write_master(tmp_path / "source" / NAME) / "circles.py"
    essay = json.loads(grading("task1-why", 4)) | {"solution": True, "locked": False}
    with master.open("a") as f:
        f.write(ESSAY.replace("{meta}", json.dumps(essay)))
    hidden = tmp_path / "assignments" / NAME
    hidden.mkdir(parents=True)
    spec = circles().model_dump(mode="json", by_alias=True)
    (hidden / "assignment.yml").write_text(yaml.safe_dump(spec))
    (tmp_path / "grading_config.yml").write_text(f"course: C\nassignments: [{NAME}]\n")
    return tmp_path


def result(student: str, score: float, status: Status = Status.PARTIAL) -> Result:
    shown = CheckResult("shown", "The area", 1, Status.PASSED, 1, 1, Visibility.PUBLIC)
    probe = CheckResult(
        "hidden_probe", "Hidden", 1, status, score, 2, Visibility.HIDDEN, (), "off by one"
    )
    return Result(NAME, student, "", "graded", 1 + score, 3, (shown, probe))


def export(course: Path, *results: Result) -> list[str]:
    settings = config.load(course / "grading_config.yml", config.Course)
    return nbgrader.export(Export(course, course, tuple(results), settings, course, lambda r: b""))


def scores(course: Path, student: str) -> dict[str, tuple[Any, Any, bool]]:
    """grade_id -> (automatic score, score, whether a person has to look)."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        (notebook,) = book.find_submission(NAME, student).notebooks
        return {
            g.name: (g.auto_score, g.score, bool(g.needs_manual_grade)) for g in notebook.grades
        }


def test_scores_stand_in_a_new_gradebook(course: Path) -> None:
    said = export(course, result("ann", 0.5), result("bob", 2, Status.PASSED))
    assert said == [f"{course / 'gradebook.db'}: the scores of 2 submissions"]
    found = scores(course, "ann")
    assert found["task1-public"] == (0, 0, False)
    assert found["task1-hidden"] == (1.5, 1.5, False)
    assert found["task1-why"] == (None, 0, True)
    assert scores(course, "bob")["task1-hidden"] == (3, 3, False)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        assert book.find_submission(NAME, "ann").max_score == 7
        comment = book.find_comment("task1-area", "circles", NAME, "ann")
        assert comment.comment == "Hidden: off by one"


def test_what_a_person_gave_stays(course: Path) -> None:
    export(course, result("ann", 0.5))
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for cell, score in (("task1-why", 3.5), ("task1-hidden", 2.5)):
            grade = book.find_grade(cell, "circles", NAME, "ann")
            grade.manual_score, grade.needs_manual_grade = score, False
        book.find_comment("task1-area", "circles", NAME, "ann").manual_comment = "well done"
        book.db.commit()
    export(course, result("ann", 0.25))
    found = scores(course, "ann")
    assert found["task1-why"] == (None, 3.5, False)
    assert found["task1-hidden"] == (1.25, 2.5, True), (
        "a person looks again, and their score counts"
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        assert book.find_comment("task1-area", "circles", NAME, "ann").comment == "well done"
        assert book.find_submission(NAME, "ann").score == 6


def test_nobody_gets_a_zero_by_our_fault(course: Path) -> None:
    export(course, result("ann", 2, Status.PASSED))
    lost = replace(result("ann", 0), status="ungradable", checks=())
    said = export(course, lost)
    assert said[0] == f"ann {NAME}: not graded, so left as it was"
    assert scores(course, "ann")["task1-hidden"] == (3, 3, False)
    export(course, result("bob", 0, Status.DEFERRED))
    assert scores(course, "bob")["task1-hidden"] == (1, 1, True), (
        "a person looks at what was deferred"
    )


def test_lateness_is_nbgraders_penalty_and_time_its_timestamp(course: Path) -> None:
    late = replace(
        result("ann", 2, Status.PASSED),
        score=2.25,
        late=Lateness(3, late=True, deducted=0.75),
        submitted_at="2026-10-13T01:00:00+02:00",
    )
    export(course, late)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        found = book.find_submission(NAME, "ann")
        assert (found.score, found.late_submission_penalty) == (3, 0.75)
        assert found.timestamp.isoformat() == "2026-10-12T23:00:00"


def test_the_real_export_reads_it(course: Path) -> None:
    export(course, result("ann", 0.5))
    command = [sys.executable, "-m", "nbgrader", "export", "--to", "g.csv"]
    subprocess.run(command, cwd=course, check=True, capture_output=True, timeout=120)
    (row,) = csv.DictReader((course / "g.csv").read_text().splitlines())
    assert (row["student_id"], float(row["score"]), float(row["max_score"])) == ("ann", 1.5, 7)


def test_a_file_that_is_no_gradebook_is_refused(course: Path) -> None:
    (course / "gradebook.db").write_text("not a database, " * 100)
    with pytest.raises(InputError, match="is not a gradebook"):
        export(course, result("ann", 1))


def test_sources_are_compiled_when_their_master_changed(course: Path) -> None:
    nbgrader.refresh(course)
    notebook = course / nbgrader.SOURCES / NAME / "circles.ipynb"
    text = notebook.read_text()
    assert "secret_radius = 41" in text and "BEGIN HIDDEN TESTS" in text
    assert sorted(p.name for p in notebook.parent.iterdir()) == ["circles.ipynb", "img"]
    notebook.write_text("kept")
    nbgrader.refresh(course)
    assert notebook.read_text() == "kept", "nothing was newer"
    master = course / "source" / NAME / "circles.py"
    master.write_text(master.read_text().replace("# # Circles", "# # Rings"))
    nbgrader.refresh(course)
    assert "# Rings" in notebook.read_text()


def test_a_cell_is_worth_its_checks(course: Path) -> None:
    cells = nbgrader.graded_cells(course, NAME)
    assert cells.checks == {"task1-hidden": ("shown", "hidden_probe")}
    assert cells.points == {"task1-public": 0, "task1-hidden": 3}
    assert cells.manual == {"task1-why": 4} and cells.comments == {"task1-hidden": "task1-area"}


# -- whose a grade is ------------------------------------------------------------------------------


def fresh(course: Path) -> Any:
    """A new gradebook, for which nbgrader calls a tool of this environment."""
    with nbgrader._tools_of_this_environment():
        return Gradebook(f"sqlite:///{course / 'gradebook.db'}")


def people(course: Path) -> list[str]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return sorted(s.id for s in book.students)


def exported(course: Path, *results: Result) -> tuple[list[str], list[str]]:
    """What is said, and of that what did not get there."""
    settings = config.load(course / "grading_config.yml", config.Course)
    order = Export(course, course, tuple(results), settings, course, lambda r: b"")
    return nbgrader.export(order), order.missed


def test_students_of_another_tool_are_found_and_never_added_beside_their_own(course: Path) -> None:
    with fresh(course) as book:
        book.add_student("jd1", first_name="Jane", last_name="Doe", lms_user_id="1234")
        book.add_student("bs2", first_name="Bo", last_name="Stern", email="bo@x.org")
        book.add_student("kl3", first_name="Kim", last_name="Lee")
    canvas = {"tool": "canvas", "user": "1234", "file": "x", "late": False}
    whole = result("?", 2, Status.PASSED)
    works = [
        replace(whole, student="doejane_1234", origin=canvas),
        replace(whole, student="sternbo_77", origin={**canvas, "user": "77"}),
        replace(
            whole, student="Kim Lee_5", origin={"tool": "moodle", "user": "5", "name": "Kim Lee"}
        ),
        replace(whole, student="roebob_88", origin={**canvas, "user": "88"}),
    ]
    said, missed = exported(course, *works)
    assert people(course) == ["bs2", "jd1", "kl3"]
    assert missed == [
        f"roebob_88 {NAME}: not in the gradebook (to add it: nbgrader db student add)"
    ]
    assert said == [*missed, f"{course / 'gradebook.db'}: the scores of 3 submissions"]
    for student in ("jd1", "bs2", "kl3"):
        assert scores(course, student)["task1-hidden"] == (3, 3, False)


def test_a_student_who_is_added_is_told(course: Path) -> None:
    export(course, result("ann", 1))
    said, missed = exported(course, result("bob", 1), result("Ann", 1))
    assert said[0] == "bob: was not in the gradebook, and is now" and not missed
    assert people(course) == ["ann", "bob"], "Ann is ann"


def test_two_who_fit_one_student_write_nothing(course: Path) -> None:
    with fresh(course) as book:
        book.add_student("kl3", first_name="Kim", last_name="Lee")
    said, missed = exported(course, result("kim lee", 1), result("lee_kim", 1))
    assert len(missed) == 2 and "another student fits" in missed[0]
    assert people(course) == ["kl3"] and "0 submissions" in said[-1]


@pytest.mark.parametrize("change", [0.5, -0.75])
def test_what_a_person_decided_here_counts_there(course: Path, change: float) -> None:
    """Points by hand in the cell that waits for them, a change of the whole beside the cells."""
    essay = CheckResult("task1-why", "Why", 1, Status.PARTIAL, 3, 4, Visibility.HIDDEN)
    once = result("ann", 0.5)
    both = replace(once, checks=(*once.checks, essay), score=4.5 + change, max_score=7.0)
    for _ in range(2):
        export(course, both)
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
            found = book.find_submission(NAME, "ann")
            assert found.score - found.late_submission_penalty == 4.5 + change
            assert not found.needs_manual_grade
    export(course, replace(once, checks=(*once.checks, replace(essay, score=2.0)), score=3.5))
    assert scores(course, "ann")["task1-why"] == (2.0, 2.0, False), "new points replace the old"
    waits = replace(essay, score=0.0, status=Status.BY_HAND)
    export(course, replace(once, checks=(*once.checks, waits)))
    assert scores(course, "ann")["task1-why"] == (None, 0.0, True), "and so does taking them back"


def test_who_is_new_there_comes_with_name_and_address(course: Path) -> None:
    person = {"student_id": "s1", "name": "Andersson, Ann", "email": "ann@x.org"}
    export(course, replace(result("ann", 0.5), person=person))
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        (ann,) = book.students
        assert (ann.id, ann.last_name, ann.first_name) == ("ann", "Andersson", "Ann")
        assert ann.email == "ann@x.org"
    export(course, replace(result("a. a.", 0.25), person=person))
    assert scores(course, "ann")["task1-hidden"][0] == 1.25, "found by the roster's address"
