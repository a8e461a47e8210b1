"""The release gate: each rule broken once, and what it says then."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from autograder.authoring import gate
from autograder.cli.main import app
from autograder.course import config
from autograder.errors import ConfigError, GraderError
from autograder.grading.grader import Grader
from autograder.model import (
    AlsoSeen,
    CheckResult,
    Graded,
    LoadReport,
    Result,
    Status,
    Submission,
    Visibility,
)
from tests.authoring.test_build import circles, write_master
from tests.harness import ROOT

NAME = "01-circles"
CHECK = """
from autograder.checks import Option, Outcome, check

@check(requests=lambda ctx: {}, options=(Option("threshold", float, "of the area"),))
def x(ctx, evidence):
    return Outcome.passed()
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one assignment, with a sample of each kind."""
    (tmp_path / "source").mkdir()
    write_master(tmp_path / "source" / NAME)
    hidden = tmp_path / "assignments" / NAME
    samples = {"bug_wrong_value": "def area(r): return r", "correct_plain": "def area(r): return 3"}
    for name, text in samples.items():
        (hidden / "submissions" / name).mkdir(parents=True)
        (hidden / "submissions" / name / "circles.py").write_text(text)
    rows = {"bug_wrong_value": {"lost": ["hidden_probe"], "bugs": ["wrong_value"]}}
    (hidden / "submissions" / "expected.yml").write_text(yaml.safe_dump(rows))
    spec = circles().model_dump(mode="json", by_alias=True)
    (hidden / "assignment.yml").write_text(yaml.safe_dump(spec))
    (hidden / "public_checks.py").write_text(CHECK)
    (tmp_path / "grading_config.yml").write_text(f"course: C\nassignments: [{NAME}]\n")
    return tmp_path


class Fake:
    """A grader that gives what a function of the program's text says."""

    def __init__(self, earned: Callable[[Submission], tuple[float, float]]) -> None:
        self.earned = earned

    def grade(self, submission: Submission, /) -> Graded:
        got = self.earned(submission)
        checks = tuple(
            CheckResult(
                spec.id,
                spec.title,
                spec.task,
                Status.PASSED if score == spec.points else Status.FAILED,
                score,
                spec.points,
                Visibility(spec.visibility),
                () if score == spec.points else ("wrong_value",),
            )
            for spec, score in zip(circles().checks, got, strict=True)
        )
        result = Result(NAME, submission.student, "", "graded", sum(got), 3, checks)
        return Graded(result, LoadReport("done"))


def fair(submission: Submission) -> tuple[float, float]:
    text = submission.program.text
    if "NotImplementedError" in text:
        return 0, 0
    return (1, 0) if "return r\n" in text + "\n" else (1, 2)


def test_a_good_course_passes(course: Path) -> None:
    assert gate.quick(course, NAME) == []
    seen: list[str] = []
    done = gate.in_boxes(Fake(fair), course, NAME, 2, lambda n, of, r: seen.append(r.student))
    assert done == []
    assert sorted(seen) == [
        "bug_wrong_value", "circles.ipynb", "circles.py", "correct_plain",
        "reference-notebook", "reference-script",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "where", "what", "earned"),
    [
        (
            "reference",
            "01-circles as a notebook",
            "gets 1 of 3 points: hidden_probe: failed",
            lambda s: (1, 0) if s.student == "reference-notebook" else fair(s),
        ),
        (
            "untouched",
            "01-circles: circles.ipynb",
            "gets 1 of 3 points, from shown",
            lambda s: (1, 0) if s.student == "circles.ipynb" else fair(s),
        ),
        (
            "samples",
            "01-circles/bug_wrong_value",
            "should have lost hidden_probe; did not name wrong_value",
            lambda s: (1, 2) if s.student == "bug_wrong_value" else fair(s),
        ),
        (
            "samples",
            "01-circles/correct_plain",
            "should not have lost shown",
            lambda s: (0, 2) if s.student == "correct_plain" else fair(s),
        ),
    ],
)
def test_each_rule_of_the_boxes(
    course: Path,
    rule: str,
    where: str,
    what: str,
    earned: Callable[[Submission], tuple[float, float]],
) -> None:
    (failure,) = gate.in_boxes(Fake(earned), course, NAME)
    assert (failure.rule, failure.where) == (rule, where)
    assert what in failure.what and failure.remedy
    assert str(failure).startswith(f"{where}: {rule}: ") and "\n" not in str(failure)


class Sees(Fake):
    """As `Fake`, and a finder speaks over the run of `whose` work."""

    def __init__(self, whose: str) -> None:
        super().__init__(fair)
        self.whose = whose

    def grade(self, submission: Submission, /) -> Graded:
        graded = super().grade(submission)
        if submission.student != self.whose:
            return graded
        one = AlsoSeen("missing_step", "a step never came", line=3)
        return replace(graded, result=replace(graded.result, also_seen=(one,)))


@pytest.mark.parametrize(
    ("whose", "rule"), [("reference-script", "reference"), ("correct_plain", "samples")]
)
def test_a_finder_may_say_nothing_of_what_is_right(course: Path, whose: str, rule: str) -> None:
    (failure,) = gate.in_boxes(Sees(whose), course, NAME)
    assert failure.rule == rule and "missing_step: a step never came (line 3)" in failure.what
    assert gate.in_boxes(Sees("bug_wrong_value"), course, NAME) == []


def test_a_sample_without_a_row_is_a_failure(course: Path) -> None:
    (course / "assignments" / NAME / "submissions" / "expected.yml").write_text("{}\n")
    (failure,) = gate.in_boxes(Fake(fair), course, NAME)
    assert failure.what == "no row in expected.yml"


def test_a_leak_and_a_wrong_id_are_told_apart(course: Path) -> None:
    master = course / "source" / NAME / "circles.py"
    text = master.read_text()
    (course / "source" / NAME / "img" / "circle.svg").write_text("<svg>secret_radius = 41</svg>")
    (leak,) = gate.quick(course, NAME)
    assert leak.rule == "leak" and leak.where == f"{master}:10" and "img/circle.svg" in leak.what
    (course / "source" / NAME / "img" / "other.svg").write_text("<svg>0.987654</svg>")
    failures = [str(f) for f in gate.quick(course, NAME)]
    assert [f.split(": ")[1] for f in failures] == ["leak", "leak"], "each has its line"
    assert all(f.endswith("under `shown:` in assignment.yml)") for f in failures)
    for picture in ("circle", "other"):
        (course / "source" / NAME / "img" / f"{picture}.svg").write_text("<svg/>")
    master.write_text(text.replace('grade("hidden_probe")', 'grade("hidden_prob")'))
    (wrong,) = gate.quick(course, NAME)
    assert wrong.rule == "ids and points" and "'hidden_prob' is no hidden check" in wrong.what


def test_changed_points_are_told(course: Path) -> None:
    settings = course / "assignments" / NAME / "assignment.yml"
    settings.write_text(settings.read_text().replace("points: 2.0", "points: 1.5"))
    (wrong,) = gate.quick(course, NAME)
    assert wrong.rule == "ids and points" and "hidden checks 1.5" in wrong.what and wrong.remedy
    assert wrong.where.startswith(f"{course / 'source' / NAME / 'circles.py'}:")


def test_what_waits_is_not_run_where_no_box_can_be_had(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    called_off = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            called_off.set()
            super().shutdown(wait=wait)

    def none(submission: Submission) -> tuple[float, float]:
        asked.append(submission.student)
        if len(asked) > 1:
            assert called_off.wait(60)
        raise GraderError("no box", remedy="ask the doctor")

    monkeypatch.setattr(gate, "ThreadPoolExecutor", Pool)
    with pytest.raises(GraderError, match="no box"):
        gate.in_boxes(Fake(none), course, NAME)
    assert len(asked) <= 2 < gate.runs(course, NAME) == 6


def test_a_failure_is_one_line_whatever_was_printed() -> None:
    said = str(gate.Failure("reference", "04", "raised \x1b[31mThat\nand more", "mend it"))
    assert said == "04: reference: raised That and more (mend it)"


def test_other_bytes_elsewhere_are_not_reproducible(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "digest", lambda source, assignment: "0" * 64)
    (failure,) = gate.quick(course, NAME)
    assert failure.rule == "reproducible" and failure.where == NAME


def test_an_option_that_no_check_takes_is_told_with_its_line(course: Path) -> None:
    path = course / "assignments" / NAME / "assignment.yml"
    path.write_text(path.read_text().replace("threshold:", "treshold:"))
    (failure,) = gate.quick(course, NAME)
    assert failure.rule == "config" and f"{path}:" in failure.where
    assert "did you mean 'threshold'" in str(failure)


def test_nothing_is_written_where_the_gate_fails(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = CliRunner().invoke
    bad = gate.Failure("samples", "01-circles/x", "lost all", "mend it")
    monkeypatch.setattr("autograder.grading.grader.Grader", lambda root: _Context())
    monkeypatch.setattr(gate, "in_boxes", lambda *args: [bad])
    done = run(app, ["release", "--root", str(course)])
    assert done.exit_code == 1 and "01-circles/x: samples: lost all (mend it)" in done.output
    assert "01-circles: gate: 6 runs in boxes" in done.output
    assert "01-circles: gate: 1 of them not right, " in done.output
    assert not (course / "release").exists()
    quick = run(app, ["release", "--quick", "--root", str(course)])
    assert quick.exit_code == 0 and (course / "release" / NAME / "circles.ipynb").is_file()


class _Context:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.slow
@pytest.mark.sandbox
def test_the_real_course_passes_in_boxes_and_a_wrong_row_does_not(tmp_path: Path) -> None:
    name = "04-training-loop"
    shutil.copytree(ROOT / "docs" / "explore", tmp_path / "docs" / "explore")
    for part in ("source", "assignments"):
        shutil.copytree(
            ROOT / part / name, tmp_path / part / name, ignore=shutil.ignore_patterns("submissions")
        )
    (tmp_path / "grading_config.yml").write_text(f"course: C\nassignments: [{name}]\n")
    samples = tmp_path / "assignments" / name / "submissions"
    bug = "bug_missing_eval_mode__disguised"
    shutil.copytree(ROOT / "assignments" / name / "submissions" / bug, samples / bug)
    row = {"lost": ["evaluate_mode", "fit_modes"], "bugs": ["missing_eval_mode"]}
    (samples / "expected.yml").write_text(yaml.safe_dump({bug: row}))
    with Grader(tmp_path) as grader:
        assert gate.in_boxes(grader, tmp_path, name) == []
        (samples / "expected.yml").write_text(yaml.safe_dump({bug: {**row, "lost": []}}))
        (failure,) = gate.in_boxes(grader, tmp_path, name)
    assert failure.rule == "samples" and "should not have lost evaluate_mode" in failure.what
    assert config.course(tmp_path).assignments == (name,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("use: x", "use: exx", "uses 'exx', which is no check"),
        ("threshold: 0.987654", "treshold: 0.987654", "has the unknown option 'treshold'"),
        ("points: 2.0", "piont: 2.0", "unknown key 'checks.1.piont'"),
    ],
)
def test_nothing_is_released_with_a_check_that_there_is_not(
    course: Path, old: str, new: str, said: str
) -> None:
    """By `release --quick` and by `release --check`, before a class is graded by it."""
    settings = course / "assignments" / NAME / "assignment.yml"
    settings.write_text(settings.read_text().replace(old, new))
    (wrong,) = gate.quick(course, NAME)
    assert wrong.rule == "config" and said in wrong.what and wrong.remedy
    assert wrong.where.startswith(f"{settings}:")
    quick = CliRunner().invoke(app, ["release", "--quick", "--root", str(course)])
    assert quick.exit_code == 1 and said in quick.output and not (course / "release").exists()
    fresh = CliRunner().invoke(app, ["release", "--check", "--root", str(course)])
    assert isinstance(fresh.exception, ConfigError) and said in str(fresh.exception)
