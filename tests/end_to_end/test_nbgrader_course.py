"""One assignment through every step of the real nbgrader, from source to feedback and export."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.course import config, images
from autograder.exports.nbgrader import course_id
from tests.end_to_end.conftest import Course
from tests.end_to_end.handin import hand_in, release
from tests.notebooks import changes, raw, solved
from tests.samples import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]
NAME, FILE = "04-training-loop", "training_loop.ipynb"
SAMPLE = ROOT / "assignments" / NAME / "submissions" / "correct_notebook_lab"


def bare(book: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Cells as (kind, text, what nbgrader knows of them), without what it adds by itself."""
    return [
        (
            c["cell_type"],
            "".join(c["source"]),
            {
                k: v
                for k, v in c["metadata"].get("nbgrader", {}).items()
                if k not in ("checksum", "cell_type")
            },
        )
        for c in book["cells"]
    ]


def spoil(path: Path) -> None:
    """Honest work as it may come back: it prints to stderr in a test cell, and the student has
    deleted a hidden test cell and edited another.
    """
    book = json.loads(path.read_text())
    cells = {c["metadata"].get("nbgrader", {}).get("grade_id"): c for c in book["cells"]}
    cells["task2-train-public"]["source"] = ["import sys; print('training', file=sys.stderr)\n"]
    cells["task3-evaluate-hidden"]["source"] = ["3.0  # what I deserve"]
    book["cells"].remove(cells["task4-confusion-hidden"])
    path.write_text(json.dumps(book))


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, at nbgrader's use of it
def test_from_source_to_feedback(course: Course) -> None:
    exchange, home = course.folder / "exchange", course.folder / "home"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    with (course.folder / "nbgrader_config.py").open("a") as f:
        f.write(f"c.Exchange.root = {str(exchange)!r}\nc.Exchange.cache = {str(home)!r}\n")
    course.run("nbgrader", "generate_assignment", NAME)
    made = course.folder / "build" / "nbgrader" / "release" / NAME
    assert bare(json.loads((made / FILE).read_text())) == bare(release(NAME))
    assert sorted(p.name for p in made.iterdir()) == ["explore", "img", FILE]

    # out to a student by the exchange, and back
    course.run("nbgrader", "release_assignment", NAME)
    desk = course.folder / "desk"
    desk.mkdir()
    (desk / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = {course_id(ROOT)!r}\n"
        f"c.Exchange.root = {str(exchange)!r}\nc.Exchange.cache = {str(home)!r}\n"
    )
    course.run("nbgrader", "fetch_assignment", NAME, cwd=desk)
    fetched = next(p for p in course.folder.rglob(FILE) if "desk" in p.parts)
    work = hand_in(NAME, SAMPLE, fetched.parent)
    spoil(work)
    course.run("nbgrader", "submit", NAME, cwd=desk)
    course.run("nbgrader", "collect", NAME)
    (collected,) = (course.folder / "submitted").glob(f"*/{NAME}/{FILE}")
    student = collected.parent.parent.name

    # graded with the hidden tests restored: whole, edited or deleted by the student
    course.run("nbgrader", "autograde", NAME)
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        found = book.find_submission(NAME, student)
        lost = {g.name: g.score for g in found.notebooks[0].grades if g.score < g.max_score}
        assert (lost, found.score, found.max_score) == ({}, 20, 20)
        assert found.timestamp is not None
    course.run("nbgrader", "generate_feedback", NAME)
    (page,) = (course.folder / "feedback").glob(f"{student}/{NAME}/*.html")
    assert "task2-train-hidden" in page.read_text() or "20.0 / 20.0" in page.read_text()
    course.run("nbgrader", "export", "--to", "grades.csv")
    rows = list(csv.DictReader((course.folder / "grades.csv").read_text().splitlines()))
    (row,) = [r for r in rows if r["student_id"] == student]
    assert (row["assignment"], float(row["score"])) == (NAME, 20)


def test_release_notebooks_validate(course: Course) -> None:
    """The untouched release is read and run, and nothing but the work is missing from it."""
    folder = course.folder / "validate"
    folder.mkdir()
    shutil.copy(ROOT / "release" / NAME / FILE, folder)
    said = course.run("nbgrader", "validate", FILE, cwd=folder, ok=True)
    assert "VALIDATION FAILED ON" in said and "NotImplementedError" in said
    hand_in(NAME, SAMPLE, folder)
    assert "passes all the tests" in course.run("nbgrader", "validate", FILE, cwd=folder)


def test_correct_work_validates_whatever_it_draws_on_stderr(course: Course, tmp_path: Path) -> None:
    """A progress bar in a public test is no failure, and nor is a value at its end."""
    sample = "correct_notebook_progress_bar"
    name = "05-five-beats"
    spec = config.assignment(ROOT / "assignments" / name / "assignment.yml")
    assert spec.data is not None
    small = spec.data.model_copy(update={"train": 300, "test": 260, "hidden": 100})
    work = hand_in(name, ROOT / "assignments" / name / "submissions" / sample, tmp_path / "desk")
    (work.parent / "data").symlink_to(images.prepare(small, 0, None, tmp_path / "cache").root)
    # a bar of text, as where there are no widgets
    work.write_text(work.read_text().replace("from tqdm.auto import", "from tqdm import"))
    said = course.run("nbgrader", "validate", work.name, cwd=work.parent)
    assert "passes all the tests" in said and "failed" not in said.lower()


@pytest.mark.graders
@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, at nbgrader's use of it
def test_notebooks_that_end_nbgrader_by_itself_get_their_points(course: Course) -> None:
    """Ids lost or doubled, cells merged: nbgrader 0.9 alone stops at each of these."""
    course.run("nbgrader", "generate_assignment", NAME)
    for change in ("without_grade_ids", "doubled", "merged"):
        folder = course.folder / "submitted" / change / NAME
        folder.mkdir(parents=True)
        (folder / FILE).write_bytes(raw(changes(NAME)[change](solved(NAME))))
        course.run("nbgrader", "autograde", NAME, "--student", change)
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        for change in ("without_grade_ids", "doubled", "merged"):
            assert book.find_submission(NAME, change).score == 20, change
