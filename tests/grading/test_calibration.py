"""Calibration: what is measured, committed and read again, and what a threshold cannot tell."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.checks.accuracy import from_accuracies
from autograder.cli import terminal
from autograder.course import config, images
from autograder.errors import ConfigError, GraderError, InputError
from autograder.grading import calibration, recalibrate
from autograder.grading.calibration import committed, moved, place
from autograder.grading.grader import Grader
from autograder.grading.recalibrate import Calibrated, Row
from autograder.model import (
    CheckResult,
    Graded,
    Limits,
    LoadReport,
    Program,
    Result,
    Status,
    Submission,
    Visibility,
)
from autograder.sandbox import Plain
from tests.harness import ROOT

NAME = "05-five-beats"
PLAIN = "correct_plain"
RAN: dict[str, list[float | str]] = {
    "reference": [0.9, 0.91, 0.89],
    PLAIN: [0.9, 0.88],
    "rate_x10": [0.93, 0.92],
    "untrained": [0.1, "its weights are not finite"],
    "unshuffled": [0.9, 0.91],
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The course with one assignment, one correct sample and three wrong programs."""
    root = tmp_path / "course"
    own = root / "assignments" / NAME
    (own / "submissions").mkdir(parents=True)
    shutil.copytree(ROOT / "source" / NAME, root / "source" / NAME)
    shutil.copy(ROOT / "assignments" / NAME / "assignment.yml", own)
    shutil.copytree(
        ROOT / "assignments" / NAME / "submissions" / PLAIN, own / "submissions" / PLAIN
    )
    (root / "grading_config.yml").write_text(f"course: Small\nassignments: [{NAME}]\n")
    table = yaml.safe_load((ROOT / "assignments" / NAME / "wrong.yml").read_text())
    kept = {n: p for n, p in table["programs"].items() if n in RAN}
    (own / "wrong.yml").write_text(yaml.safe_dump({"programs": kept}, sort_keys=False))
    return root


class Fake:
    """What a grader knows of a course, and what checks say of its wrong programs."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root, self.device, self.sandbox, self.cache = root, "cpu", None, cache
        self.seen: list[str] = []

    def assignment(self, name: str) -> config.Assignment:
        return config.assignment(self.root / "assignments" / name / "assignment.yml")

    def prepared(self, assignment: config.Assignment) -> images.Prepared | None:
        if assignment.data is None:
            return None
        return images.prepare(assignment.data, assignment.seed, None, self.cache)

    def limits(self, assignment: config.Assignment) -> Limits:
        return Limits()

    def grade(self, s: Submission) -> Graded:
        assert committed(self.root / "assignments" / NAME / "calibration.yml"), "found at once"
        self.seen.append(s.student)
        bad = s.student != "unshuffled"
        checks = (
            _result("rate", Status.FAILED if bad else Status.PASSED, ("lr_too_high",) * bad),
            _result("epochs", Status.NOT_CHECKED, ()),
            _result("accuracy", Status.FAILED, ()),
        )
        return Graded(Result(NAME, "s", "", "graded", 1.0, 3.0, checks), LoadReport("done"))


def _result(name: str, status: Status, bugs: tuple[str, ...]) -> CheckResult:
    return CheckResult(name, name, 1, status, 0.0, 1.0, Visibility.HIDDEN, bugs)


@pytest.fixture
def grader(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    texts: dict[str, str] = {}
    real = recalibrate._others

    def others(*args: Any) -> Any:
        found = real(*args)
        texts.update({s.program.text: s.student for _, _, s in found})
        return found

    def trained(world: Any, program: Program, *rest: Any) -> list[float | str]:
        return RAN[texts.get(program.text, "reference")][: rest[-2]]

    monkeypatch.setattr(recalibrate, "_others", others)
    monkeypatch.setattr(recalibrate, "trained", trained)
    monkeypatch.setattr(calibration, "trained", trained)
    return Fake(course, tmp_path / "cache")


def test_what_was_measured_is_written_with_its_place_and_read_again(grader: Any) -> None:
    made = recalibrate.recalibrate(grader, NAME, 3, 2, date="2026-03-01")
    table = yaml.safe_load(made.path.read_text())
    row = table[made.key]
    assert row["dataset"] == "digits" and row["accuracies"] == RAN["reference"]
    assert row["measured"] == {**place("cpu"), "date": "2026-03-01"}
    assert row["measured"].keys() >= {"device", "threads", "python", "torch"}
    assert row["correct"] == {PLAIN: {"accuracies": RAN[PLAIN]}}
    assert set(row["wrong"]) == {"untrained", "rate_x10", "unshuffled"} == set(grader.seen)
    named = {"rate": ["lr_too_high"]}
    assert row["wrong"]["rate_x10"] == {"accuracies": RAN["rate_x10"], "named": named}
    assert row["wrong"]["unshuffled"]["named"] == {}
    found = committed(made.path)[made.key]
    assert found == from_accuracies([0.9, 0.91, 0.89], row["measured"])
    again = made.path.read_bytes()
    recalibrate.recalibrate(grader, NAME, 3, 2, date="2026-03-01", jobs=3)
    assert made.path.read_bytes() == again, "the same bytes, however many run at a time"
    assert recalibrate.carried(_Carrying(grader, found), NAME) == again  # type: ignore[arg-type]


class _Carrying:
    """A grader whose world is calibrated."""

    def __init__(self, grader: Fake, found: Any) -> None:
        self.root, self.device, self.assignment = grader.root, "cpu", grader.assignment
        prepared = grader.prepared(grader.assignment(NAME))
        assert prepared is not None
        self.hidden = recalibrate._hidden(prepared)
        self.found = found

    def world(self, name: str) -> Any:
        return dataclasses.make_dataclass("W", ["calibration", "hidden"])(self.found, self.hidden)


def test_a_threshold_alone_is_measured_where_no_others_are_asked_for(grader: Any) -> None:
    made = recalibrate.recalibrate(grader, NAME, 2)
    assert not made.rows and not grader.seen
    (row,) = yaml.safe_load(made.path.read_text()).values()
    assert set(row) == {"accuracies", "dataset", "measured"} and "date" not in row["measured"]


def test_other_rows_of_the_file_stay(grader: Any) -> None:
    path = grader.root / "assignments" / NAME / "calibration.yml"
    path.write_text("mnist-v1-cuda: {dataset: mnist, accuracies: [0.9, 0.91]}\n")
    made = recalibrate.recalibrate(grader, NAME, 2)
    assert set(committed(path)) == {"mnist-v1-cuda", made.key}
    assert committed(path)["mnist-v1-cuda"].measured == {}, "an older file is read as it is"


def test_a_wrong_program_that_no_longer_applies_stops_it_before_anything_runs(grader: Any) -> None:
    folder = grader.root / "assignments" / NAME
    wrong = folder / "wrong.yml"
    wrong.write_text(wrong.read_text().replace("lr=1e-3", "lr=1e-5"))
    with pytest.raises(ConfigError, match="'lr=1e-5' stands 0 times in the reference"):
        recalibrate.recalibrate(grader, NAME, 3, 2)
    assert not (folder / "calibration.yml").exists()


def test_a_reference_that_fails_is_no_calibration(
    grader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "trained", lambda *a: [0.9, "ValueError: no"])
    with pytest.raises(GraderError, match="could not be calibrated: ValueError: no"):
        recalibrate.recalibrate(grader, NAME, 2)


def test_an_assignment_without_accuracy_has_none(grader: Any) -> None:
    path = grader.root / "assignments" / NAME / "assignment.yml"
    raw = yaml.safe_load(path.read_text())
    raw["checks"] = [c for c in raw["checks"] if c["use"] != "accuracy"]
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match="no check of accuracy"):
        recalibrate.recalibrate(grader, NAME, 2)


# --- what a threshold cannot tell -----------------------------------------------------------------


def calibrated(*rows: Row) -> Calibrated:
    found = from_accuracies([0.9, 0.91, 0.89, 0.9, 0.9])  # full marks from 0.797
    return Calibrated(Path("c.yml"), "digits-v1-cpu", "digits", found, rows)


def wrong(*accuracies: float | str, **named: tuple[str, ...]) -> Row:
    return Row("odd", "wrong", "an odd one", accuracies, named)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (wrong(0.7, 0.6, rate=("lr_too_low",)), []),
        (wrong(0.7, 0.6), ["only accuracy tells 'odd' (an odd one): nothing names it"]),
        (
            wrong(0.7, 0.81, rate=("lr_too_low",)),
            ["cannot tell 'odd' (an odd one): it reaches 81.0%; rate (lr_too_low) names it"],
        ),
        (
            wrong(0.85, a=(), b=("wrong_value",)),
            ["cannot tell 'odd' (an odd one): it reaches 85.0%; a, b (wrong_value) name it"],
        ),
        (wrong(0.85, "none"), ["nothing names it, so it gets full marks"]),
        (wrong("no", "no", rate=()), []),
        (Row("plain", "correct", "", (0.86, 0.88), {}), []),
        (
            Row("plain", "correct", "", (0.84, 0.85), {}),
            ["plain is right, and lies 0.0550 below the reference, more than the 0.05"],
        ),
        (Row("plain", "correct", "", (0.9, "it raised"), {}), ["plain is not known: it raised"]),
    ],
)
def test_what_the_threshold_cannot_tell_is_said(row: Row, said: list[str]) -> None:
    warnings = calibrated(row).warnings()
    assert len(warnings) == len(said), warnings
    assert all(part in line for part, line in zip(said, warnings, strict=True)), warnings


def test_the_table_shows_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    rows = (Row("plain", "correct", "", (0.86, 0.88), {}), wrong(0.7, 0.81, rate=("lr_too_low",)))
    terminal.calibrated(calibrated(*rows, wrong("no network")))
    out = capsys.readouterr().out
    assert "mean 0.9000, sample deviation 0.0071" in out
    assert "0.05: 0.8900, 0.25: 0.9000, 0.5: 0.9000, 0.75: 0.9000, 0.95: 0.9100" in out
    assert "99.9% of all runs" in out and "confidence of 95%" in out
    assert "full marks from 0.7970" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "correct" in line}
    assert lines == {"plain": ["correct", "0.8600", "0.8700", "0.8800"]}
    assert "0.7000  0.7550  0.8100   rate (lr_too_low)" in out and "-" in out


# --- another place --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ({"torch": "2.13.0+cpu"}, {"torch": "2.13.4"}, []),
        ({"torch": "2.12.1"}, {"torch": "2.13.0"}, ["torch 2.12, here 2.13"]),
        ({"torch": "2.1.0"}, {"torch": "2.13.0"}, ["torch 2.1, here 2.13"]),
        ({"python": "3.11.2", "numpy": "1.0"}, {"python": "3.13.0", "numpy": "2.0"}, []),
        ({"gpu": "H200"}, {"gpu": "A100"}, ["gpu H200, here A100"]),
        ({"threads": "1"}, {"threads": "8"}, ["threads 1, here 8"]),
        ({}, {"torch": "2.13.0"}, []),
    ],
)
def test_only_what_matters_is_told_of_another_place(
    then: dict[str, str], now: dict[str, str], said: list[str]
) -> None:
    assert moved(then, now) == said


def test_a_grader_tells_that_its_thresholds_are_from_elsewhere(
    course: Path, tmp_path: Path
) -> None:
    class Nothing(Plain):
        def open(self, job: Any) -> Any:
            raise AssertionError("no box is needed")

    embedded = Path(images.EMBEDDED)
    with Grader(course, Nothing(), embedded, cache=tmp_path / "cache") as grader:
        spec = grader.assignment(NAME)
        prepared = grader.prepared(spec)
        assert prepared is not None
        key = f"{prepared.fingerprint}-v{spec.version}-cpu"
    here = place("cpu")
    path = course / "assignments" / NAME / "calibration.yml"
    digests = []
    for torch, accuracy, said in (
        (here["torch"], 0.9, []),
        ("1.9.0", 0.9, [f"torch 1.9, here {calibration._release(here['torch'])}"]),
        ("1.9.0", 0.8, [f"torch 1.9, here {calibration._release(here['torch'])}"]),
    ):
        row = {"accuracies": [accuracy, accuracy], "measured": {**here, "torch": torch}}
        path.write_text(json.dumps({key: row}))
        with Grader(course, Nothing(), embedded, cache=tmp_path / "cache") as grader:
            assert grader.elsewhere(NAME) == said
            digests.append(grader.environment(NAME)["threshold"])
    assert digests == ["0.8500", "0.8500", "0.7500"], "another threshold grades anew"


# --- real boxes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("script", ('"""Words."""\nfrom __future__ import annotations\nimport torch\n',)),
        ("script", ("import torch",)),
        ("script", ('"""Words."""',)),
        ("notebook", ("import torch", "x = 1")),
    ],
)
def test_a_program_begins_with_a_seed_and_stays_what_it_was(
    kind: Any, cells: tuple[str, ...]
) -> None:
    seeded = calibration._seeded(Program(kind, "x", cells))
    text = seeded.text
    compile(text, "x", "exec")
    lines = [line for line in text.splitlines() if "manual_seed" not in line]
    assert len(lines) == len(text.splitlines()) - 1
    assert "\n".join(lines).split() == "\n".join(cells).split()
    if "import torch" in text:
        assert text.index("manual_seed") < text.index("import torch")


@pytest.mark.slow
def test_the_reference_of_a_course_is_calibrated_in_boxes(course: Path, tmp_path: Path) -> None:
    path = course / "assignments" / NAME / "assignment.yml"
    raw = yaml.safe_load(path.read_text())
    raw["data"] |= {"train": 800, "test": 100, "hidden": 100}
    raw["checks"] = [c for c in raw["checks"] if c["id"] in ("accuracy", "train_shuffled")]
    path.write_text(yaml.safe_dump(raw))
    unseeded = course / "assignments" / NAME / "submissions" / PLAIN / "five_beats.py"
    unseeded.write_text(unseeded.read_text().replace("torch.manual_seed", "str"))
    with Grader(course, Plain(), Path(images.EMBEDDED), cache=tmp_path / "cache") as grader:
        made = recalibrate.recalibrate(grader, NAME, 3, 2, jobs=2)
    assert committed(made.path)[made.key].threshold == made.found.threshold
    rows = {row.name: row for row in made.rows}
    assert len(set(made.found.accuracies)) > 1, "each run has another seed"
    assert len(set(rows[PLAIN].accuracies)) == 2, "so has a program that sets none"
    assert max(rows["untrained"].numbers) < made.found.threshold
    assert rows["unshuffled"].named == {"train_shuffled": ("train_not_shuffled",)}
    assert max(rows["unshuffled"].numbers) > made.found.threshold
    assert "train_shuffled (train_not_shuffled) names it" in " ".join(made.warnings())
