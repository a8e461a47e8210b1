"""A student's own check says of the public checks what the grade says of them.

`autograder check` runs without a box, on other images and under another seed; samples of every
assignment, right, wrong and hostile, get the same verdicts from it and from `autograder grade`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder.cli.check import submission_of
from autograder.course import config
from autograder.grading.grader import Grader
from autograder.model import Result, Submission, Visibility
from tests.samples import ROOT, QuickGrader, folders, graded

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]
SAMPLES = {
    "04-training-loop": (
        "correct_notebook_colab",
        "correct_raw_parameters",
        "bug_step_before_backward__raises",
        "bug_wrong_history__keys",
        "bug_missing_name",
        "hostile_prints",
        "hostile_syntax_error_in_cell",
    ),
    "05-five-beats": (
        "correct_workers_and_cosine",
        "bug_wrong_architecture",
        "bug_missing_backward",
        "bug_wrong_checkpoint",
        "hostile_exit",
    ),
    "06-line-by-line": (
        "correct_main_function",
        "bug_wrong_shape",
        "bug_missing_name",
        "hostile_printed_only",
        "hostile_syntax_error",
    ),
    "08-schedule-and-resume": (
        "correct_notebook_lab_backup_file",
        "bug_wrong_value__any_name",
        "bug_clip_no_effect",
        "bug_resume_without_state",
        "hostile_forged_numbers",
    ),
}


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with QuickGrader(ROOT, cache=tmp_path_factory.mktemp("cache")) as made:
        yield made


def verdicts(result: Result) -> dict[str, tuple[str, float, tuple[str, ...]]]:
    """Status, points and bugs of each public check."""
    assert result.status == "graded", result.notes
    return {
        c.id: (str(c.status), c.score, tuple(c.bugs))
        for c in result.checks
        if c.visibility is Visibility.PUBLIC
    }


def handed_in(folder: Path, assignment: config.Assignment) -> Submission:
    (path,) = [p for p in folder.iterdir() if p.suffix in (".py", ".ipynb")]
    return submission_of(path, assignment, ROOT)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_students_own_check_agrees_with_the_grade(grader: Grader, name: str) -> None:
    public = ROOT / "release" / name / "public.yml"
    samples = {f.name: f for f in folders(name)}
    lost = set()
    with Grader(ROOT, "none", cache=grader.cache, public=public) as own:
        for sample in SAMPLES[name]:
            official = verdicts(graded(grader, name, samples[sample]))
            work = handed_in(samples[sample], config.assignment(public))
            assert verdicts(own.grade(work).result) == official, sample
            if any(status != "passed" for status, *_ in official.values()):
                lost.add(sample)
    assert len(lost) >= 2 and not any(s.startswith("correct_") for s in lost)


def test_an_old_checkpoint_is_not_the_runs_work(grader: Grader, tmp_path: Path) -> None:
    name = "05-five-beats"
    plain = ROOT / "assignments" / name / "submissions" / "correct_plain" / "five_beats.py"
    text = plain.read_text()
    assert text.count("torch.save(") == 1
    (tmp_path / "five_beats.py").write_text(text.replace("torch.save(", "print("))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "best_mlp.pt")
    work = submission_of(tmp_path / "five_beats.py", grader.assignment(name), ROOT)
    assert "best_mlp.pt" in work.files
    found = verdicts(grader.grade(work).result)
    status, points, bugs = found["checkpoint_exists"]
    assert (status, points, list(bugs)) == ("failed", 0, ["wrong_checkpoint"])
    assert found["epoch_runs"][0] == "passed"
