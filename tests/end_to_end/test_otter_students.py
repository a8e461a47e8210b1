"""What `otter assign` makes for students works with the real `otter check`, without our package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from autograder.course import config, images
from tests.authoring.test_build import hide_the_package, run
from tests.end_to_end.conftest import Course
from tests.samples import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]
ASSIGNMENTS = [
    "08-schedule-and-resume",
    *(
        pytest.param(name, marks=pytest.mark.graders)
        for name in ("04-training-loop", "05-five-beats", "06-line-by-line")
    ),
]


def results(said: str) -> dict[str, str]:
    """What `otter check` printed below each question it found something wrong with."""
    parts = re.split(r"^(task\d+) results:", said, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_students_check_their_work(course: Course, tmp_path: Path, name: str) -> None:
    course.run("autograder", "package", name, "--for", "otter")
    made = course.folder / "build" / "otter" / name / "dist"
    assignment = config.assignment(ROOT / "assignments" / name / "assignment.yml")
    desk, notebook = tmp_path / "desk", f"{assignment.module}.ipynb"
    shutil.copytree(made / "student", desk)
    hide_the_package(desk)
    if assignment.data is not None:
        root = images.find_root(assignment.data.dataset, None, None)
        small = assignment.data.model_copy(update={"train": 300, "test": 100, "hidden": 100})
        (desk / "data").symlink_to(images.prepare(small, 0, root, tmp_path / "cache").root)

    questions = sorted(p.stem for p in (desk / "tests").glob("task*.py"))
    untouched = run(desk, "-m", "otter", "check", notebook)
    assert untouched.returncode == 0, untouched.stderr
    found = results(untouched.stdout)
    assert sorted(found) == questions
    for question, said in found.items():
        task = question.removeprefix("task")
        if "has_no_public_tests" in (desk / "tests" / f"{question}.py").read_text():
            assert f"message: task {task} has no public tests; it is looked at when" in said
            continue
        told = (f"NotImplementedError: task {task} is not written yet", "NameError: name '")
        assert any(t in said for t in told) and "Test case passed" not in said, said

    # the same folder with the solutions in the notebook, as `otter assign` keeps it for graders
    shutil.copy(made / "autograder" / notebook, desk)
    solved = run(desk, "-m", "otter", "check", notebook)
    assert solved.returncode == 0, solved.stderr
    assert solved.stdout.strip().endswith("All tests passed!"), solved.stdout
