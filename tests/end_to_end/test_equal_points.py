"""The same notebook gets the same points from this grader, the real nbgrader and the real otter.

Ten samples of each assignment, honest in different styles and buggy; `make check` takes two of
two assignments, `make graders` all.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.course import config
from autograder.exports import otter
from tests.end_to_end.conftest import Course
from tests.end_to_end.handin import NOTEBOOKS, hand_in
from tests.samples import ASSIGNMENTS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]

SAMPLES = {
    "01-autograd": (
        "correct_notebook_hooks",
        "bug_missing_zero_grad__descend",
        "correct_plain",
        "correct_classes",
        "correct_numpy",
        "correct_torch_func",
        "bug_mutates_input__standardise",
        "bug_no_nonlinearity",
        "bug_graph_cut__chain_disguised",
        "bug_missing_name",
    ),
    "02-losses-and-optimizers": (
        "correct_notebook_with_comparisons",
        "bug_mse_broadcast",
        "correct_plain",
        "correct_classes",
        "correct_flat_vector",
        "correct_optimizer_subclass",
        "bug_missing_bias_correction",
        "bug_borrowed__optimizers",
        "bug_wrong_weight_decay__disguised",
        "bug_missing_name",
    ),
    "03-data-pipeline": (
        "correct_notebook_two_datasets",
        "bug_stats_leakage__test_images_too",
        "correct_plain",
        "correct_classes",
        "correct_numpy",
        "correct_terse",
        "bug_split_overlap__three_draws",
        "bug_drops_samples__drop_last",
        "bug_eval_augmented__disguised",
        "bug_missing_name",
    ),
    "04-training-loop": (
        "correct_notebook_lab",
        "bug_missing_zero_grad",
        "correct_autograd_grad",
        "correct_raw_parameters",
        "correct_trainer_class",
        "bug_wrong_accuracy__percent",
        "bug_missing_eval_mode",
        "bug_wrong_history__keys",
        "bug_lr_too_low",
        "bug_missing_name",
    ),
    "05-five-beats": (
        "correct_notebook_progress_bar",
        "bug_missing_zero_grad",
        "correct_tensor_dataset",
        "correct_main_function",
        "correct_notebook_functional_act",
        "bug_train_not_shuffled",
        "bug_wrong_device",
        "bug_pickles_whole_model",
        "bug_wrong_checkpoint",
        "bug_incomplete_seeding",
    ),
    "06-line-by-line": (
        "correct_notebook_by_hand",
        "bug_missing_zero_grad",
        "correct_class_around_it",
        "correct_main_function",
        "correct_randperm_and_tensors",
        "correct_notebook_cells",
        "bug_wrong_init",
        "bug_train_not_shuffled",
        "bug_wrong_value__three_epochs",
        "bug_missing_name",
    ),
    "07-regularisation": (
        "correct_notebook_copies",
        "bug_missing_eval_mode",
        "correct_plain",
        "correct_classes",
        "correct_generators",
        "correct_terse",
        "bug_early_stop_off_by_one",
        "bug_wrong_dropout__keeps_with_p",
        "bug_selects_on_test__disguised",
        "bug_missing_name",
    ),
    "08-schedule-and-resume": (
        "correct_notebook_lab_backup_file",
        "bug_wrong_value__scaler_ignored",
        "correct_plain",
        "correct_notebook_numpy_and_autograd",
        "correct_scaled_limit_and_buffer",
        "correct_trainer_class_safetensors",
        "bug_missing_zero_grad__accumulation",
        "bug_clip_before_unscale",
        "bug_resume_without_state__random",
        "bug_missing_name",
    ),
    "09-debugging-clinic": (
        "correct_notebook",
        "bug_missing_zero_grad",
        "correct_plain",
        "correct_loop_class",
        "correct_moved_loader",
        "correct_squares",
        "bug_wrong_device__model_to_cpu",
        "bug_lr_too_high",
        "bug_batch_mixing__disguised",
        "bug_missing_name",
    ),
    "10-honest-numbers": (
        "correct_terse",
        "bug_wrong_claim",
        "correct_plain",
        "correct_classes",
        "correct_numpy_and_samplers",
        "bug_wrong_value__over_n",
        "bug_incomplete_seeding",
        "bug_selects_on_test",
        "bug_saves_last_not_best__disguised",
        "bug_missing_name",
    ),
}
SCRIPTS = {
    "01-autograd": ("correct_numpy", "bug_no_nonlinearity"),
    "02-losses-and-optimizers": ("correct_flat_vector", "bug_missing_bias_correction"),
    "03-data-pipeline": ("correct_terse", "bug_drops_samples__drop_last"),
    "04-training-loop": ("correct_trainer_class", "bug_lr_too_low"),
    "05-five-beats": ("correct_main_function", "bug_wrong_device"),
    "06-line-by-line": ("correct_main_function", "bug_train_not_shuffled"),
    "07-regularisation": ("correct_generators", "bug_early_stop_off_by_one"),
    "08-schedule-and-resume": ("correct_plain", "bug_clip_before_unscale"),
    "09-debugging-clinic": ("correct_squares", "bug_lr_too_high"),
    "10-honest-numbers": ("correct_numpy_and_samplers", "bug_incomplete_seeding"),
}
"""Handed in as scripts, which otter takes too; nbgrader knows notebooks only."""
ALWAYS = ("04-training-loop", "06-line-by-line")
"""Of these, two samples are compared by `make check` already: functions, and a bare script."""
CASES = [
    *(
        pytest.param(
            name,
            names[:2],
            id=f"{name}-two",
            marks=() if name in ALWAYS else pytest.mark.graders,
        )
        for name, names in SAMPLES.items()
    ),
    *(
        pytest.param(name, names[2:], id=f"{name}-eight", marks=pytest.mark.graders)
        for name, names in SAMPLES.items()
    ),
]


def by_hand(assignment: str) -> float:
    """The points of an assignment that a person gives, and nobody has given yet."""
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    return sum(c.points for c in spec.checks if c.use == "by_hand")


def deferred(assignment: str) -> float:
    """The points of what waits for a GPU, which no grader of these has."""
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    return sum(c.points for c in spec.checks if "cuda" in c.requires)


def by_us(course: Course, assignment: str, names: tuple[str, ...]) -> dict[str, float]:
    """The scores that `autograder grade` gives, each a graded result."""
    folder, out = course.folder / "class" / assignment, course.folder / "graded" / assignment
    shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        shutil.copytree(course.folder / "submitted" / name / assignment, folder / name)
    course.run("autograder", "grade", str(folder), "-a", assignment, "-o", str(out), "--jobs", "1")
    results = [json.loads(p.read_text()) for p in sorted(out.glob("results/*/*.json"))]
    assert all(r["status"] == "graded" for r in results)
    return {r["student"]: r["score"] for r in results if r["student"] in names}


def by_nbgrader(course: Course, assignment: str, names: tuple[str, ...]) -> dict[str, float]:
    """The scores in the gradebook after the real `nbgrader autograde`."""
    course.run("nbgrader", "generate_assignment", assignment, "--force")
    course.run("nbgrader", "autograde", assignment)
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        found = gradebook.assignment_submissions(assignment)
        # only a person's part waits for a person
        assert {s.needs_manual_grade for s in found} == {by_hand(assignment) > 0}
        return {s.student.id: round(s.score, 4) for s in found if s.student.id in names}


def by_otter(course: Course, assignment: str, names: tuple[str, ...]) -> dict[str, float]:
    """The scores of the real `otter run` with the autograder of the real `otter assign`."""
    target = course.folder / "build" / "otter" / assignment
    if not target.is_dir():
        course.run("autograder", "package", assignment, "--for", "otter")
    module = NOTEBOOKS[assignment].removesuffix(".ipynb")
    scores = {}
    for name in names:
        out = course.folder / "otter" / assignment / name
        out.mkdir(parents=True)
        (work,) = (course.folder / "submitted" / name / assignment).iterdir()
        zipped = target / f"{module}-autograder.zip"
        course.run("otter", "run", "-a", str(zipped), "-o", str(out), str(work), cwd=out)
        scores[name] = otter.score(json.loads((out / "results.json").read_text()))
    return scores


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, at nbgrader's use of it
@pytest.mark.parametrize(("assignment", "names"), CASES)
def test_three_graders_agree(course: Course, assignment: str, names: tuple[str, ...]) -> None:
    for name in names:
        sample = ROOT / "assignments" / assignment / "submissions" / name
        hand_in(assignment, sample, course.folder / "submitted" / name / assignment)
    ours = by_us(course, assignment, names)
    assert set(ours) == set(names)
    honest = {n for n in names if n.startswith("correct_")}
    full = 20 - by_hand(assignment) - deferred(assignment)
    assert {n for n, score in ours.items() if score == full} == honest
    assert by_nbgrader(course, assignment, names) == ours
    assert by_otter(course, assignment, names) == ours
    for name in names:
        shutil.rmtree(course.folder / "submitted" / name)


@pytest.mark.graders
@pytest.mark.parametrize("assignment", SCRIPTS)
def test_scripts_get_the_same_from_otter(course: Course, assignment: str) -> None:
    """By the handout's name, which otter does not ask for, and by another."""
    module = NOTEBOOKS[assignment].removesuffix(".ipynb")
    files = dict(zip(SCRIPTS[assignment], (f"{module}.py", f"my_{module}_2.py"), strict=True))
    for name, file in files.items():
        folder = course.folder / "submitted" / f"script_{name}" / assignment
        folder.mkdir(parents=True)
        sample = ROOT / "assignments" / assignment / "submissions" / name
        shutil.copy(sample / f"{module}.py", folder / file)
    students = tuple(f"script_{name}" for name in files)
    ours = by_us(course, assignment, students)
    full = 20 - by_hand(assignment) - deferred(assignment)
    assert [score == full for score in (ours[s] for s in students)] == [True, False]
    assert by_otter(course, assignment, students) == ours
    for name in students:
        shutil.rmtree(course.folder / "submitted" / name)


def test_there_are_ten_of_each() -> None:
    assert sorted(SAMPLES) == sorted(SCRIPTS) == ASSIGNMENTS
    for assignment, names in SAMPLES.items():
        assert len(set(names)) == 10
        honest = [n for n in names if n.startswith("correct_")]
        assert 4 <= len(honest) <= 6
        folder = ROOT / "assignments" / assignment / "submissions"
        assert all((folder / n).is_dir() for n in names)


def test_samples_differ_from_the_release(tmp_path: Path) -> None:
    """What is handed in is the sample's code in the release's cells, not the release itself."""
    name = "04-training-loop"
    sample = ROOT / "assignments" / name / "submissions" / "bug_missing_zero_grad"
    cells = json.loads(hand_in(name, sample, tmp_path).read_text())["cells"]
    solutions = [c for c in cells if c["metadata"].get("nbgrader", {}).get("solution")]
    assert "def train_one_epoch" in "".join(solutions[0]["source"])
    assert not any(c["source"] for c in solutions[1:])
