"""The command line, and every command that docs/tas.md tells a person to type."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from autograder.cli import check, terminal
from autograder.cli import main as cli
from autograder.cli.terminal import checked
from autograder.course import config
from autograder.errors import FiveBeatsError, GraderError, InputError
from autograder.grading import batch
from autograder.grading.grader import job_for
from autograder.grading.status import Report, Standing
from autograder.model import (
    CheckResult,
    ErrorInfo,
    Limits,
    LoadReport,
    Program,
    Status,
    Submission,
    Visibility,
)
from autograder.model import Result as KeptResult
from autograder.results import files as kept
from autograder.sandbox import Plain
from tests.handing import as_nobody

HERE = Path(__file__).resolve().parents[2]
A = "04-training-loop"
CHECKS = ("mlp_shape", "mlp_logits")
GOOD = """
import torch
from torch import nn

class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.net(x)

print("hello from the program")
"""
BAD = GOOD.replace("return self.net(x)", "return torch.softmax(self.net(x), 1)")


def notebook(text: str) -> str:
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})


def assignment() -> dict[str, object]:
    """The real assignment, cut down to two checks of its model, without images."""
    raw = yaml.safe_load((HERE / "assignments" / A / "assignment.yml").read_text())
    kept_checks = [c for c in raw["checks"] if c["id"] in CHECKS]
    assert len(kept_checks) == len(CHECKS)
    return {**{k: v for k, v in raw.items() if k != "data"}, "checks": kept_checks}


class Shared(Plain):
    """One warm template for all tests of this file; a grader that closes it leaves it running."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    sandbox = Shared()
    yield sandbox
    Plain.close(sandbox)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Plain) -> Path:
    """A small course with a class, in a folder of its own, which is where we are."""
    root = tmp_path / "course"
    (root / "assignments" / A).mkdir(parents=True)
    (root / "release" / A).mkdir(parents=True)
    (root / "grading_config.yml").write_text(f"course: Small\nassignments: [{A}]\n")
    spec = assignment()
    (root / "assignments" / A / "assignment.yml").write_text(yaml.safe_dump(spec))
    (root / "release" / A / "public.yml").write_text(yaml.safe_dump(spec))
    students = root / "class"
    (students / "bob").mkdir(parents=True)
    (students / "alice.py").write_text(GOOD)
    (students / "bob" / "training_loop.ipynb").write_text(notebook(BAD))
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("autograder.grading.grader.choose", lambda *args, **options: plain)
    return root


def run(command: str) -> Result:
    """`autograder ...` in this process, with the errors told as `main` tells them."""
    result = CliRunner().invoke(cli.app, shlex.split(command))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open(encoding="utf-8", newline="") as f:
        return {row["student"]: row for row in csv.DictReader(f)}


def whole(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`autograder ...` as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "autograder", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


# -- at once ---------------------------------------------------------------------------------


def test_help_needs_nothing_heavy() -> None:
    """In CPU seconds, so that a busy machine does not decide it; the wall is near it alone."""
    heavy = ("torch", "numpy", "pydantic", "jinja2", "rich", "yaml", "safetensors", "IPython")
    code = (
        "import sys, time\n"
        "from typer.testing import CliRunner\n"
        "began = time.process_time()\n"
        "from autograder.cli.main import app\n"
        "assert 'grade' in CliRunner().invoke(app, ['--help']).output\n"
        f"loaded = [m for m in {heavy!r} if m in sys.modules]\n"
        "print(time.process_time() - began, *loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, *loaded = done.stdout.split()
    assert loaded == []
    assert float(seconds) < 0.3


def test_every_verb_has_help_and_the_contract_its_verbs() -> None:
    told = run("--help").output
    for verb in ("release", "check", "grade", "regrade", "report", "calibrate", "doctor"):
        assert re.search(rf"^  {verb}  ", told, re.MULTILINE)
        assert "--help" in run(f"{verb} --help").output


# -- grading -----------------------------------------------------------------------------------


def test_a_class_is_graded(course: Path) -> None:
    done = run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    assert done.exit_code == 0, done.output
    table = rows(course / "out")
    assert table["alice"]["score"] == table["alice"]["max_score"]
    assert float(table["bob"]["score"]) < float(table["bob"]["max_score"])
    assert re.search(r"alice +1\.5 / 1\.5", done.output)
    assert "report: out/report/index.html" in done.output
    assert (course / "out/report/index.html").is_file()
    alice = (course / "out/report/students/alice.html").read_text()
    assert "hello from the program" in alice
    again = run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    assert "2 of them before" in again.output


def test_another_limit_is_another_grade(course: Path) -> None:
    grade = f"grade class -a {A} -o out --sandbox none --i-trust-every-submission"
    assert run(grade).exit_code == 0
    with (course / "grading_config.yml").open("a") as f:
        f.write("limits: {output_kb: 128}\n")
    config.course.cache_clear()
    assert "of them before" not in run(grade).output


def test_some_ungradable_is_status_1_and_never_a_zero(course: Path) -> None:
    (course / "class" / "carol.pdf").write_text("%PDF")
    done = run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    assert done.exit_code == 1
    assert rows(course / "out")["carol"]["score"] == ""
    assert "none of them counts as a zero" in done.output


def test_a_name_is_no_markup(course: Path) -> None:
    (course / "class" / "[bold red]x[\\bold].py").write_text(GOOD)
    done = run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    assert done.exit_code == 0 and "[bold red]x" in done.output


def test_ctrl_c_says_how_to_go_on(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = batch._Work.one

    def one(self: batch._Work, key: object, group: list[Submission]) -> object:
        if group[0].student == "bob":
            raise KeyboardInterrupt
        return real(self, key, group)  # type: ignore[arg-type]

    monkeypatch.setattr(batch._Work, "one", one)
    done = run(f"grade class -a {A} -o out --jobs 1 --sandbox none --i-trust-every-submission")
    assert done.exit_code == 130
    assert "the same command goes on from here" in done.output
    assert list(rows(course / "out")) == ["alice"]


# -- judging again ------------------------------------------------------------------------------


def test_regrade_runs_nobodys_code(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    before = (course / "out/grades.csv").read_bytes()

    def closed(*args: object) -> None:
        raise AssertionError("a box was opened")

    monkeypatch.setattr(Plain, "open", closed)
    same = run("regrade out")
    assert same.exit_code == 0 and "2 judged again, 0 changed" in same.output
    assert (course / "out/grades.csv").read_bytes() == before
    path = course / "assignments" / A / "assignment.yml"
    raw = yaml.safe_load(path.read_text())
    raw["checks"][0]["points"] = 3
    path.write_text(yaml.safe_dump(raw))
    cleared()
    moved = run("regrade out")
    assert "2 judged again, 2 changed" in moved.output and "1.5 -> 3.5" in moved.output
    assert rows(course / "out")["alice"]["score"] == "3.5"


def test_regrade_leaves_what_it_cannot_judge(course: Path) -> None:
    (course / "class" / "carol.pdf").write_text("%PDF")
    run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    for path in kept.evidence_folder(course / "out", "bob", A).glob("*.json"):
        if path.name != "load.json":
            path.unlink()
    before = rows(course / "out")
    done = run("regrade out")
    assert "left as it was: bob" in done.output and "carol" in done.output
    assert rows(course / "out") == before and done.exit_code == 1


def cleared() -> None:
    """Forget the files that were read, as the next process would."""
    from autograder.course import config

    config.assignment.cache_clear()
    config.course.cache_clear()


# -- a student's own check -------------------------------------------------------------------


def test_check_teaches(course: Path) -> None:
    good = run(f"check class/alice.py -a {A}")
    assert good.exit_code == 0, good.output
    assert good.output.count("✓") == 2 and "1.5 of 1.5 public points" in good.output
    bad = run("check class/bob/training_loop.ipynb")
    assert bad.exit_code == 0
    assert "✗" in bad.output and "probab" in bad.output


def test_check_needs_only_the_release(course: Path, tmp_path: Path) -> None:
    alone = tmp_path / "home"
    alone.mkdir()
    (alone / "public.yml").write_bytes((course / "release" / A / "public.yml").read_bytes())
    (alone / "training_loop.py").write_text(GOOD + "\nundefined_name\n")
    os.chdir(alone)
    done = run("check training_loop.py")
    assert done.exit_code == 0, done.output
    assert "! while running: NameError at line" in done.output


def test_check_says_once_what_a_mistake_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    lost = CheckResult(
        "a", "A", 1, Status.FAILED, 0, 1, Visibility.PUBLIC, (), "this was seen", "this is why"
    )
    both = (lost, replace(lost, id="b", help="and that"), replace(lost, id="c"))
    checked(KeptResult(A, "alice", "", "graded", 0, 3, both), LoadReport("done"))
    said = capsys.readouterr().out
    assert said.count("this was seen") == 1 and "and 2 more: wins 3 points" in said
    assert said.count("this is why") == said.count("and that") == 1


def test_check_ends_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    code = Program("script", "mine.py", ("x = 1\ny = 2\n",))
    line = CheckResult("a", "A", 1, Status.PASSED, 1, 1, Visibility.PUBLIC)
    lost = replace(line, id="b", status=Status.ERROR, score=0, message="it raised E at line 2: no")
    checked(KeptResult(A, "", "", "graded", 1, 1, (line,)), LoadReport("done"), code)
    assert capsys.readouterr().out.splitlines()[-1] == "next: hand in mine.py"
    checked(KeptResult(A, "", "", "graded", 1, 2, (line, lost)), LoadReport("done"), code)
    said = capsys.readouterr().out
    assert "> " in said and "2  y = 2" in said
    assert "next: mend the first of these in mine.py" in said.splitlines()[-1]


def test_a_syntax_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = ErrorInfo("SyntaxError", "'(' was never closed; " + "why " * 60, 12)
    load = LoadReport("error", (error,), data={"unread": True})
    line = CheckResult("a", "A", 1, Status.ERROR, 0, 1, Visibility.PUBLIC, message=f"x {error}")
    checked(KeptResult(A, "", "", "graded", 0, 1, (line,)), load, Program("script", "m.py", ("",)))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("✗ m.py: Python cannot read it: SyntaxError at line 12")
    assert second.startswith("next: ")


def test_status_speaks_of_one_and_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    for names, verb in ((("ann",), "waits"), (("ann", "bob"), "wait")):
        terminal.stands(Report({}, (Standing(A, 3, by_hand=names, deferred=names),)))
        said = capsys.readouterr().out
        assert f"{len(names)} {verb} for points by hand: ann" in said
        assert f"{len(names)} {verb} for another device: ann" in said


@pytest.mark.parametrize("width", [30, 60, 200])
def test_a_table_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    monkeypatch.setattr(terminal, "_console", lambda: Console(highlight=False, width=width))
    lost = CheckResult("a", "A", 1, Status.FAILED, 0, 2, Visibility.PUBLIC, ("missing_zero_grad",))
    terminal.table(
        [KeptResult(a, "annabella", "", "graded", 0, 2, (lost,)) for a in (A, "05-five-beats")]
    )
    said = capsys.readouterr().out
    assert all(len(line.rstrip()) <= width for line in said.splitlines())
    assert said.count("missing_zero_grad") == 2 and said.count("0 / 2") == 2
    assert "\x1b" not in said, "no colours on a pipe"


def test_check_takes_what_lies_beside(course: Path) -> None:
    """As a folder that is handed in, and without looking into data sets."""
    home = course / "release" / A
    (home / "data").mkdir()
    (home / "data" / "train-images-idx3-ubyte").write_bytes(bytes(100))
    (home / "mine.py").write_text(GOOD)
    (home / "training_loop.py").write_text("from mine import *\n")
    done = run(f"check release/{A}/training_loop.py")
    assert "1.5 of 1.5 public points" in done.output, done.output
    spec = config.assignment(home / "public.yml")
    work = check.submission_of(home / "training_loop.py", spec, course)
    assert set(work.files) == {"training_loop.py", "mine.py", "public.yml"}


def test_what_a_run_is_to_leave_behind_is_not_handed_in() -> None:
    beside = {"best.pt": b"old", "helpers.py": b"", "data/t10k-labels-idx1-ubyte": b""}
    work = Submission("", A, Program("script", "x.py", ("",)), beside)
    job = job_for(work, Limits(), None, made={"best.pt"})
    assert set(job.files) == {"helpers.py"}
    assert set(job_for(work, Limits(), None).files) == {"best.pt", "helpers.py"}


# -- releases ------------------------------------------------------------------------------------


def test_a_stale_release_is_status_1(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    differs: list[str] = []
    monkeypatch.setattr("autograder.authoring.build.check", lambda s, a, o: differs)
    fresh = run("release --check")
    assert fresh.exit_code == 0 and f"{A}: fresh" in fresh.output
    differs.append("README.md")
    stale = run("release --check")
    assert stale.exit_code == 1 and "README.md" in stale.output


def test_a_missing_source_is_told(course: Path) -> None:
    with pytest.raises(InputError, match="source"):
        run("release --check")


# -- wrong use ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("grade nowhere -o out", "nowhere: does not exist"),
        ("grade class -a 99-x -o out", "there is no assignment '99-x'"),
        ("grade class -o out --sandbox wood", "no sandbox is called 'wood'"),
        ("grade class -o out --sandbox none", "--i-trust-every-submission"),
        (
            "grade class -o out --sandbox none --i-trust-every-submission --cluster tcp://x:1",
            "--sandbox none protects no worker",
        ),
        ("grade class -o out --device tpu", "--device 'tpu' is not known"),
        ("grade empty -o out", "no submission was found"),
        ("grade class -o class/alice.py", "cannot be made a folder"),
        ("grade class -o out --root class", "holds no grading_config.yml"),
        ("report nowhere", "holds no results"),
        ("regrade class", "holds no results"),
        ("release 99-x", "there is no assignment '99-x'"),
        ("export class --to canvas", "holds no results"),
        ("export class --to paper", "--to 'paper' is not known (use one of: canvas, gradescope"),
        ("package 99-x --for gradescope", "there is no assignment '99-x'"),
        ("package 04-training-loop --for paper", "--for 'paper' is not known"),
        ("check nowhere.py", "does not exist"),
        ("check class/alice.py", "cannot tell which assignment"),
        ("check class/alice.py -a 99-x", "there is no release of '99-x'"),
        (f"check release/{A}", f"release/{A}: is a folder (name training_loop.ipynb"),
        (f"check release/{A}/test_training_loop.py", "holds the public tests, not your work"),
        (f"check empty/README.md -a {A}", "README.md is not a notebook or a script (name train"),
        ("calibrate 99-x", "99-x"),
        ("calibrate 04-training-loop", "no check of accuracy"),
    ],
)
def test_wrong_use_is_one_line(
    course: Path, command: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "wood" in command:
        monkeypatch.undo()
        os.chdir(course)
    (course / "empty").mkdir()
    (course / "empty" / "README.md").write_text("x")
    (course / "release" / A / "test_training_loop.py").write_text("x")
    with pytest.raises(FiveBeatsError) as caught:
        run(command)
    assert isinstance(caught.value, InputError)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_auto_says_which_sandbox_it_took(course: Path) -> None:
    line = "sandbox: none, the strongest that works on this machine\n"
    done = run("grade class -a 04-training-loop -o out --jobs 1")
    assert done.stderr.count("sandbox:") == 1 and line in done.stderr
    assert "sandbox:" not in done.stdout
    told = run("grade class -a 04-training-loop -o out --jobs 1 --sandbox bubblewrap")
    assert "sandbox:" not in told.stderr
    kept = json.loads((course / "out" / "results" / "alice" / f"{A}.json").read_text())
    assert kept["environment"]["sandbox"] == "none"


def test_errors_are_told_on_stderr_with_their_status(course: Path) -> None:
    done = whole("report", "nowhere", cwd=course)
    assert done.returncode == 2 and done.stdout == ""
    told = "autograder: nowhere: holds no results (name the folder given to grade -o)\n"
    assert done.stderr == told
    assert whole("grade", cwd=course).returncode == 2
    assert whole("no-such-verb", cwd=course).returncode == 2
    elsewhere = whole("grade", ".", "-o", "out", cwd=course.parent)
    assert elsewhere.returncode == 2 and "--root DIR" in elsewhere.stderr


def test_the_machines_fault_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise GraderError("the box died")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1


# -- the documentation ----------------------------------------------------------------------

DOCS = HERE / "docs" / "tas.md"
COMMANDS = re.findall(r"^\$ autograder (.*)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_documented_command_works(
    course: Path, monkeypatch: pytest.MonkeyPatch, plain: Plain
) -> None:
    """docs/tas.md from top to bottom, as a person would type it."""
    import zipfile

    from autograder.checks.accuracy import from_accuracies
    from autograder.grading.recalibrate import Calibrated

    with zipfile.ZipFile("class.zip", "w") as z:
        z.writestr("alice_training_loop.py", GOOD)
        z.writestr("bob/training_loop.py", BAD)
    with zipfile.ZipFile("canvas.zip", "w") as z:
        z.writestr("doejane_1234_5678_training_loop.py", GOOD)
        z.writestr("roebob_LATE_77_5679_training_loop-2.py", BAD)
    with zipfile.ZipFile("moodle.zip", "w") as z:
        z.writestr("Jane Doe_101_assignsubmission_file_/training_loop.py", GOOD)
    who = "submission_12:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '101'\n"
    with zipfile.ZipFile("submissions.zip", "w") as z:
        z.writestr("assignment_1_export/submission_metadata.yml", who)
        z.writestr("assignment_1_export/submission_12/training_loop.py", GOOD)
    book = f"Student,ID,SIS User ID,SIS Login ID,Section,Lab 4 (991),Training: {A} (992)"
    people = "Doe,1234,,,,,\nRoe,77,,,,,\n"
    Path("gradebook.csv").write_text(f"{book}\n    Points Possible,,,,,5,10\n{people}")
    Path("times.csv").write_text("student,submitted_at\n77,2026-10-14T12:00:00+02:00\n")
    sheet = "ID;Name;Bewertung;Bestwertung;Letzte Änderung (Bewertung);Feedback als Kommentar"
    Path("worksheet.csv").write_text(f"{sheet}\nTeilnehmer/in101;Jane Doe;-;10,00;-;\n")
    for name, text in (("jdoe", GOOD), ("rroe", BAD)):
        clone = Path("lab-4-submissions") / f"lab-4-{name}"
        clone.mkdir(parents=True)
        (clone / "training_loop.py").write_text(text)
    compiled: list[str] = []
    monkeypatch.setattr("autograder.sandbox.choose", lambda *args, **options: plain)
    monkeypatch.setattr("autograder.authoring.build.build", lambda s, a, o: compiled.append(a.id))
    monkeypatch.setattr("autograder.authoring.gate.quick", lambda folder, name: [])
    monkeypatch.setattr("autograder.authoring.gate.runs", lambda folder, name: 0)
    monkeypatch.setattr("autograder.authoring.gate.in_boxes", lambda *args: [])
    monkeypatch.setattr("autograder.authoring.build.check", lambda s, a, o: [])
    monkeypatch.setattr(
        "autograder.grading.recalibrate.recalibrate",
        lambda grader, name, seeds, others, **more: Calibrated(
            Path("c.yml"), "k", "digits", from_accuracies((0.9, 0.91) * seeds)
        ),
    )
    (course / "source" / A).mkdir(parents=True)
    who = "student_id,name,email,section,group\nalice,,,A,\nbob,,,B,\n"
    Path("roster.csv").write_text(who)
    Path("adjust.csv").write_text(f"student,check,change,reason\nbob,{CHECKS[0]},-0.25,why\n")
    assert len(COMMANDS) >= 11
    for command in COMMANDS:
        done = run(command)
        assert done.exit_code == 0 or command.startswith("doctor"), f"{command}: {done.output}"
        assert done.output.strip()
    assert compiled == [A]
    assert (course / "out" / "report" / "index.html").is_file()
    back = (course / "canvas" / "export" / "canvas" / "gradebook.csv").read_text()
    assert "Doe,1234,,,,5,\n" in back, "--column names another than the title does"
    late = rows(course / "canvas")["roebob_77"]
    assert (late["late"], late["submitted_at"]) == ("yes", "2026-10-14T12:00:00+02:00")
    assert run("regrade canvas").exit_code == 0
    origins = {r.student: r.origin["user"] for r in kept.read_results(Path("canvas"))}
    assert origins == {"doejane_1234": "1234", "roebob_77": "77"}, "also after judging again"
    back = (course / "moodle" / "export" / "moodle" / f"{A}-worksheet.csv").read_text()
    assert "Teilnehmer/in101;Jane Doe;10;10,00;-;<p>Five Beats: 1.5 of 1.5 points.</p>" in back
    assert (course / "gradescope" / "bob" / A / "results.json").is_file()
    with zipfile.ZipFile("four.zip") as z:
        assert "run_autograder" in z.namelist()


def test_an_extension_gives_points_back_without_a_run(course: Path) -> None:
    (course / "class" / "bob" / "training_loop.ipynb").unlink()
    own = course / "class" / "bob" / A  # as nbgrader lays it
    own.mkdir()
    (own / "timestamp.txt").write_text("2026-10-14 12:00:00 UTC")
    (own / "training_loop.ipynb").write_text(notebook(GOOD))
    file = course / "grading_config.yml"
    text = file.read_text() + f"due: {{{A}: 2026-10-12T23:59:00+02:00}}\n"
    file.write_text(text + "late: {per_day: 0.2}\n")
    run(f"grade class/bob -a {A} -o out")
    late = rows(course / "out")["bob"]
    assert (late["score"], late["late"], late["max_score"]) == ("0.9", "yes", "1.5")
    assert run("regrade out").exit_code == 0
    assert rows(course / "out")["bob"] == late
    granted = f"{{{A}: {{bob: 2026-10-15T00:00:00Z}}}}"
    file.write_text(f"{text}late: {{per_day: 0.2, extensions: {granted}}}\n")
    config.course.cache_clear()
    run("report out")
    assert rows(course / "out")["bob"]["score"] == "1.5"
    assert "points off" not in (course / "out/report/students/bob.html").read_text()


def test_the_documentation_knows_every_verb_column_and_option() -> None:
    text = DOCS.read_text(encoding="utf-8")
    verbs = ("release", "check", "grade", "regrade", "report", "calibrate", "doctor")
    for verb in (*verbs, "export", "package"):
        assert any(c.split()[0] == verb for c in COMMANDS), verb
    for column in kept.COLUMNS:
        assert f"`{column}`" in text
    for option in re.findall(r"^  (--[a-z-]+)", run("grade --help").output, re.MULTILINE):
        assert f"`{option}" in text, option
    for option in re.findall(r"^  (--[a-z-]+)", run("export --help").output, re.MULTILINE):
        assert option in text, option


# -- signals ---------------------------------------------------------------------------------------

SLOW = "import time\ntime.sleep({seconds})\n"


@pytest.mark.parametrize(
    ("number", "ignored"),
    [
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, False),
        (signal.SIGHUP, True),
    ],
)
def test_every_way_to_be_stopped_says_how_to_go_on(
    course: Path, number: signal.Signals, ignored: bool
) -> None:
    (course / "class" / "bob" / "training_loop.ipynb").unlink()
    (course / "class" / "bob" / "training_loop.py").write_text(SLOW.format(seconds=4) + GOOD)
    (course / "class" / "carol.py").write_text("c = 1\n" + GOOD)
    # whoever runs these tests in the background has some signals ignored
    code = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"
        "from autograder.cli.main import main\n"
        "main()\n"
    )
    grade = f"grade class -a {A} -o out --jobs 1 --sandbox none --i-trust-every-submission"
    command = [sys.executable, "-c", code, *shlex.split(grade)]
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    pipe = subprocess.PIPE
    run_ = subprocess.Popen(command, cwd=course, env=env, stdout=pipe, stderr=pipe, text=True)
    first = kept.result_path(course / "out", "alice", A)
    end = time.monotonic() + 300
    while not first.is_file() and run_.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    run_.send_signal(number)
    out, err = run_.communicate(timeout=300)
    if ignored:
        assert run_.returncode == 0, err
        return
    assert run_.returncode == 128 + number, (out, err)
    assert "broken off with 2 waiting; the same command goes on from here" in out
    assert "Traceback" not in err and list(rows(course / "out")) == ["alice"]
    (course / "class" / "bob" / "training_loop.py").write_text(GOOD)
    done = subprocess.run(command, cwd=course, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 of them before" in done.stdout


def test_a_signal_before_the_first_box_is_one_line(course: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from autograder.cli import main as cli; from autograder.course import config\n"
        "config.course = lambda root: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"sys.argv = ['autograder', 'grade', 'class', '-o', 'out', '-a', {A!r}]\n"
        "cli.main()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=course,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 143
    told = "broken off; the same command goes on from here, and runs nothing a second time"
    assert done.stderr == f"autograder: {told}\n"


@pytest.mark.root
def test_a_folder_that_is_read_only_is_one_line(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another user, since root may write anywhere."""
    grade = f"grade class -a {A} --sandbox none --i-trust-every-submission --jobs 1 -o"
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        shutil.copytree(course, folder / "course")
        monkeypatch.chdir(folder / "course")
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        assert run(f"{grade} {folder}/whole").exit_code == 0
        (folder / "empty").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        for path in (folder / "cache").rglob("*"):
            path.chmod(0o777)
        verbs = [f"{grade} {folder}/{out}" for out in ("empty", "whole", "new")]
        verbs += [f"{verb} {folder}/whole" for verb in ("regrade", "report")]
        for verb in verbs:
            said = as_nobody(lambda verb=verb: run(verb))  # type: ignore[misc]
            assert "Permission denied" in said and "\n" not in said, f"{verb}: {said}"
            assert str(folder) in said and "(" in said
    finally:
        shutil.rmtree(folder)


# -- exports ---------------------------------------------------------------------------------------


def test_an_export_names_whom_it_missed_and_says_so_by_its_status(course: Path) -> None:
    for name in ("Alice Andersson", "berg_bo", "carlcarlsson", "Dee"):
        (course / "class" / f"{name}.py").write_text(GOOD)
    (course / "class" / "Eve Ek.pdf").write_text("%PDF-1")
    for old in ("alice.py", "bob/training_loop.ipynb"):
        (course / "class" / old).unlink()
    run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    head = f"Student,ID,SIS User ID,SIS Login ID,Section,{A} (991)\n    Points Possible,,,,,1.5\n"
    people = ("Andersson, Alice", "Berg, Bo", "Carlsson, Carl", "Ek, Eve", "Dahl, Dee")
    lines = [f'"{p}",{i},{i}x,{i}y,1,\n' for i, p in enumerate(people, 1)]
    (course / "book.csv").write_text(head + "".join(lines))
    done = run("export out --to canvas --gradebook book.csv")
    assert done.exit_code == 1
    said = done.output.splitlines()
    assert f"{A}: 3 grades" in said
    assert f"{A}: Dee: not in the gradebook" in said
    assert f"{A}: Eve Ek: could not be graded; the cell is as it was" in said
    assert f"{A}: bob: could not be graded; the cell is as it was" not in said
    text = (course / "out" / "export" / "canvas" / "gradebook.csv").read_text()
    assert [row[-1] for row in csv.reader(text.splitlines())] == [
        f"{A} (991)", "1.5", "1.5", "1.5", "1.5", "", "",
    ]  # fmt: skip
    (course / "class" / "Dee.py").rename(course / "class" / "Dahl Dee.py")
    for gone in ("Eve Ek.pdf", "bob"):
        path = course / "class" / gone
        path.unlink() if path.is_file() else path.rmdir()
    run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    done = run("export out --to canvas --gradebook book.csv")
    assert done.exit_code == 0, done.output
    assert f"{A}: 4 grades" in done.output
    assert f"{A}: Eve Ek: no longer in the class folder, and so left out" in done.output


def test_a_zero_says_why(course: Path) -> None:
    handout = (
        "import torch\n\nclass MNISTMLP:\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
    )
    book = json.loads(notebook("import torch"))
    grading = {"solution": True, "grade": False, "grade_id": "task1-mlp", "schema_version": 3}
    stub = {**book["cells"][0], "source": handout.partition("\n\n")[2]}
    stub = {**stub, "metadata": {"nbgrader": {**grading, "locked": False, "task": False}}}
    released = {**book, "cells": [book["cells"][0], stub]}
    (course / "release" / A / "training_loop.ipynb").write_text(json.dumps(released))
    (course / "class" / "untouched.py").write_text(handout)
    (course / "class" / "broken.py").write_text("def f(:\n")
    (course / "class" / "endless.py").write_text("while True: pass\n")
    (course / "class" / "empty.py").write_text("")
    spec = course / "assignments" / A / "assignment.yml"  # its limits go before the course's
    spec.write_text(yaml.safe_dump({**assignment(), "limits": {"wall_s": 3}}))
    done = run(f"grade class -a {A} -o out --sandbox none --i-trust-every-submission")
    lines = {line.split()[0]: line for line in done.output.splitlines() if " / 1.5" in line}
    table = rows(course / "out")
    for student, why in (
        ("untouched", "nothing was written: every task is as it was handed out"),
        ("broken", "does not run: SyntaxError"),
        ("endless", "did not come to its end: "),
        ("empty", "MNISTMLP"),
    ):
        assert table[student]["score"] == "0" and why in lines[student], lines[student]
        assert why in table[student]["message"]
    assert "; " not in lines["alice"] and lines["alice"].rstrip().endswith("1.5 / 1.5")
    page = (course / "out" / "report" / "index.html").read_text()
    attention = page.partition("Needs a person")[2].partition("</section>")[0]
    assert "untouched" in attention and "nothing was written" in attention
    assert "broken" not in attention
    assert "nothing was written" in (course / "out/report/students/untouched.html").read_text()


# -- a configuration that is not meant so ----------------------------------------------------------


def test_a_check_that_there_is_not_costs_no_class_its_grades(course: Path) -> None:
    path = course / "assignments" / A / "assignment.yml"
    path.write_text(path.read_text().replace("use: module", "use: modul"))
    for verb in (f"grade class -a {A} -o out", "calibrate 04-training-loop"):
        with pytest.raises(InputError, match=r"uses 'modul'.*did you mean 'module'"):
            run(verb)
    assert not (course / "out").exists()


def test_thresholds_from_elsewhere_are_told(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = lambda grader, name: ["torch 1.9, here 2.13"]  # noqa: E731 - one line, one fact
    monkeypatch.setattr("autograder.grading.grader.Grader.elsewhere", told)
    done = run(f"grade class/alice.py -a {A} -o out")
    line = next(line for line in done.output.splitlines() if "measured elsewhere" in line)
    assert line.startswith(f"{A}: ") and "torch 1.9, here 2.13" in line
    assert f"run: autograder calibrate {A} --device cpu" in line


def test_calibrate_warns_of_what_accuracy_cannot_tell(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.checks.accuracy import from_accuracies
    from autograder.grading.recalibrate import Calibrated, Row

    asked: list[object] = []

    def recalibrate(grader: object, name: str, *counts: int, **more: object) -> Calibrated:
        asked.append((name, counts, more["jobs"]))
        rows = (Row("unshuffled", "wrong", "in order", (0.9,), {}),)
        return Calibrated(Path("c.yml"), "k", "digits", from_accuracies((0.9, 0.91)), rows)

    monkeypatch.setattr("autograder.grading.recalibrate.recalibrate", recalibrate)
    done = run(f"calibrate {A} --seeds 7 --others 2 --jobs 3")
    assert asked == [(A, (7, 2), 3)]
    assert "warning: accuracy cannot tell 'unshuffled' (in order)" in done.output
    assert "nothing names it, so it gets full marks" in done.output


def test_what_is_hardly_meant_is_told(course: Path) -> None:
    with (course / "grading_config.yml").open("w") as f:
        f.write(
            f"course: Small\nassignments: [{A}, 05-five-beats]\ndue: {{{A}: 2033-01-01T12:00}}\n"
        )
        f.write(
            f"late: {{extensions: {{{A}: {{alcie: 2033-01-02T12:00, bob: 2033-01-02T12:00}}}}}}\n"
        )
    config.course.cache_clear()
    grade = f"grade class -a {A} -o out --sandbox none --i-trust-every-submission"
    said = run(grade).stderr.splitlines()
    start = "grading_config.yml: "
    assert f"{start}lists '05-five-beats', which has no assignments/05-five-beats/assig" in said[0]
    assert said[1].startswith(f"{start}3 times state no offset and count as UTC's (say timezone:")
    assert said[2].endswith("names 'alcie', who is not there; did you mean 'alice'?")
    assert len(said) == 3


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"errors": 1}', "torn"])
@pytest.mark.parametrize("file", ["load.json", "probe"])
def test_torn_evidence_costs_one_student_one_grading(course: Path, file: str, text: str) -> None:
    grade = f"grade class -a {A} -o out --sandbox none --i-trust-every-submission"
    run(grade)
    table = (course / "out" / "grades.csv").read_bytes()
    folder = kept.evidence_folder(course / "out", "bob", A)
    probes = [p for p in sorted(folder.glob("*.json")) if p.name not in ("load.json", "index.json")]
    path = folder / file if file == "load.json" else probes[0]
    path.write_text(path.read_text()[:-9] if text == "torn" else text)
    done = run("regrade out")
    assert "1 judged again, 0 changed" in done.output and done.exit_code == 0
    assert re.search(rf"left as it was: bob {A}: .*\(grade (that student|it) again\)", done.output)
    assert run("report out").exit_code == 0
    assert (course / "out" / "grades.csv").read_bytes() == table
    assert "1 of them before" in run(grade).output, "alice's is whole"
    assert "2 judged again, 0 changed" in run("regrade out").output


def test_progress_tells_how_fast_how_long_and_how_well() -> None:
    from autograder.cli.terminal import PACED, Pace
    from tests.handing import graded, lost

    now = [0.0]
    pace = Pace(lambda: now[0])
    for _ in range(30):  # graded before: all at once
        said = pace.told(graded("a", 20.0), 40)
    assert said == "30 full"
    for i in range(PACED):
        now[0] += 6.0
        said = pace.told(graded("a", 0.0 if i else 7.0), 20)
    assert said == "10 a minute, 2:00 left, 30 full, 1 some, 19 none"
    now[0] += 6.0
    assert pace.told(lost("b"), 0) == "10 a minute, 30 full, 1 some, 19 none, 1 ungradable"
