"""A class through a grader: nothing lost, nothing doubled, whatever happens on the way."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest

from autograder.course.config import Assignment, Course
from autograder.errors import GraderError, InputError, SandboxError, Stopped
from autograder.grading import batch
from autograder.intake.collect import Refused
from autograder.model import (
    CheckResult,
    ErrorInfo,
    Evidence,
    Graded,
    LoadReport,
    Program,
    Result,
    Status,
    Submission,
    Usage,
    Visibility,
)
from autograder.results import files, programs
from autograder.results.store import Store

A = "04-training-loop"


def spec(version: int = 1) -> Assignment:
    checks = [{"id": "one", "use": "u", "title": "One", "task": 1, "points": 2.0}]
    return Assignment.model_validate(
        {"id": A, "title": "T", "version": version, "module": "training_loop", "checks": checks}
    )


def submission(
    student: str, text: str = "x = 1", when: str = "", notes: tuple[str, ...] = ()
) -> Submission:
    program = Program("script", "training_loop.py", (text,))
    return Submission(student, A, program, {"training_loop.py": text.encode()}, when, notes)


EVIDENCE = {
    "d1": Evidence(
        "done",
        {"loss": 0.5, "names": ["a", None], "text": "\ud800"},
        {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "n": np.array(3)},
        usage=Usage(0.1, 0.2, 3.0),
    ),
    "d2": Evidence("error", error=ErrorInfo("ValueError", "no", 3), needs=("the module 'x'",)),
}
LOAD = LoadReport("done", (ErrorInfo("E", "m", 1, 2, "tb"),), ("f",), "printed\n", {"k": 1})


@dataclass
class Fake:
    """A grader whose answer is read off the program's text."""

    version: int = 1
    seen: list[str] = field(default_factory=list)
    hook: Callable[[Submission], None] = lambda s: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def assignment(self, assignment: str, /) -> Assignment:
        return spec(self.version)

    def grade(self, s: Submission, /) -> Graded:
        with self.lock:
            self.seen.append(s.student)
        self.hook(s)
        bad = "bug" in s.program.text
        check = CheckResult(
            "one",
            "One",
            1,
            Status.FAILED if bad else Status.PASSED,
            0.0 if bad else 2.0,
            2.0,
            Visibility.HIDDEN,
            ("missing_zero_grad",) if bad else (),
            "=HYPERLINK(1) at step 2" if bad else "",
        )
        notes = ("data: digits", *s.notes)
        result = Result(A, s.student, s.digest, "graded", check.score, 2.0, (check,), notes)
        return Graded(result, LOAD, EVIDENCE)


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((out / "grades.csv").read_text(encoding="utf-8"))))


def test_a_class_is_graded_and_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[tuple[int, int]] = []
    done = batch.run(
        Fake(),
        [submission("bob", "bug = 1"), submission("alice", "x = 2")],
        [Refused("zoe", "zoe.pdf", "zoe.pdf is not a notebook or a script", A)],
        out,
        jobs=2,
        progress=lambda d, n, r: seen.append((d, n)),
    )
    assert sorted(seen) == [(1, 3), (2, 3), (3, 3)]
    assert [r.student for r in done.results] == ["alice", "bob", "zoe"]
    assert [r.student for r in done.ungradable] == ["zoe"] and not done.interrupted
    table = rows(out)
    assert list(table[0]) == list(files.COLUMNS)
    assert [(r["student"], r["status"], r["score"], r["max_score"], r["bugs"]) for r in table] == [
        ("alice", "graded", "2", "2", ""),
        ("bob", "graded", "0", "2", "missing_zero_grad"),
        ("zoe", "ungradable", "", "2", ""),
    ]
    assert table[1]["message"] == "One: =HYPERLINK(1) at step 2"
    assert "not a notebook" in table[2]["message"]
    result = json.loads((out / "results" / "bob" / f"{A}.json").read_text())
    assert result["schema"] == 1 and result["score"] == 0.0


def test_evidence_comes_back_as_it_was(tmp_path: Path) -> None:
    batch.run(Fake(), [submission("alice")], [], tmp_path)
    folder = files.evidence_folder(tmp_path, "alice", A)
    back = files.read_evidence(folder)
    assert set(back) == {"d1", "d2"}
    assert back["d1"].data == EVIDENCE["d1"].data and back["d1"].usage == Usage(0.1, 0.2, 3.0)
    np.testing.assert_array_equal(back["d1"].tensors["w"], EVIDENCE["d1"].tensors["w"])
    assert back["d1"].tensors["n"].shape == ()
    names = [f.name for f in fields(Evidence)]
    assert all(getattr(back["d2"], n) == getattr(EVIDENCE["d2"], n) for n in names)
    assert "needs" not in json.loads(
        (folder / "d1.json").read_text()
    )  # as it was before there were
    assert files.read_load(folder) == LOAD


def test_oversized_evidence_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "EVIDENCE_CAP", 300)
    done = batch.run(Fake(), [submission("alice")], [], tmp_path)
    assert any("too large to keep" in n for n in done.results[0].notes)
    assert not (files.evidence_folder(tmp_path, "alice", A) / "d1.json").exists()


def test_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    work = [submission(f"s{i:02}", f"x = {i}  # {'bug' * (i % 3 == 0)}") for i in range(24)]
    for jobs in (1, 8):
        batch.run(Fake(), work[::-1] if jobs == 8 else work, [], tmp_path / str(jobs), jobs=jobs)
    assert (tmp_path / "1/grades.csv").read_bytes() == (tmp_path / "8/grades.csv").read_bytes()


def test_a_second_run_runs_nothing(tmp_path: Path) -> None:
    work = [submission("alice"), submission("bob", "bug")]
    batch.run(Fake(), work, [], tmp_path)
    table = (tmp_path / "grades.csv").read_bytes()
    (tmp_path / "results" / "alice" / f"{A}.json").unlink()
    again = Fake()
    done = batch.run(again, work, [], tmp_path)
    assert again.seen == [] and done.reused == 2
    assert (tmp_path / "grades.csv").read_bytes() == table


@pytest.mark.parametrize("change", ["version", "environment", "program"])
def test_a_changed_world_is_graded_anew(tmp_path: Path, change: str) -> None:
    batch.run(Fake(), [submission("alice")], [], tmp_path, environment=lambda _: {"torch": "1"})
    again = Fake(version=2 if change == "version" else 1)
    work = submission("alice", "x = 3" if change == "program" else "x = 1")
    torch = "2" if change == "environment" else "1"
    batch.run(again, [work], [], tmp_path, environment=lambda _: {"torch": torch})
    assert again.seen == ["alice"]


def test_twins_share_one_run_but_not_their_names(tmp_path: Path) -> None:
    fake = Fake()
    twins = [
        submission("bob", "bug", "2026-01-02T00:00:00+00:00", notes=("bob's own",)),
        submission("alice", "bug", notes=("left out: x",)),
    ]
    batch.run(fake, twins, [], tmp_path)
    assert len(fake.seen) == 1
    results = {r.student: r for r in files.read_results(tmp_path)}
    assert results["alice"].score == results["bob"].score == 0.0
    assert results["bob"].notes == ("data: digits", "bob's own")
    assert results["alice"].notes == ("data: digits", "left out: x")
    assert results["bob"].submitted_at and not results["alice"].submitted_at
    for student in ("alice", "bob"):
        assert files.read_load(files.evidence_folder(tmp_path, student, A)) == LOAD
        assert programs.read(tmp_path, student, A, twins[0].digest) == twins[0].program


def test_the_newer_of_two_is_graded(tmp_path: Path) -> None:
    fake = Fake()
    old = submission("alice", "bug", "2026-01-01T00:00:00+00:00")
    new = submission("alice", "x = 1", "2026-01-02T00:00:00+00:00")
    done = batch.run(fake, [new, old], [], tmp_path)
    assert [r.score for r in done.results] == [2.0]
    assert "handed in 2 times" in done.results[0].notes[-1]


@pytest.mark.parametrize("error", [SandboxError("the box died"), ZeroDivisionError("ours")])
def test_our_own_fault_is_nobodys_zero(tmp_path: Path, error: Exception) -> None:
    def hook(s: Submission) -> None:
        if s.student == "bob":
            raise error

    done = batch.run(Fake(hook=hook), [submission("alice"), submission("bob", "y")], [], tmp_path)
    assert [r.status for r in done.results] == ["graded", "ungradable"]
    bob = rows(tmp_path)[1]
    assert bob["score"] == "" and "not the student's fault" in bob["message"]
    again = Fake()
    done = batch.run(again, [submission("alice"), submission("bob", "y")], [], tmp_path)
    assert again.seen == ["bob"] and done.ungradable == ()


def test_a_record_gives_way_to_work(tmp_path: Path) -> None:
    batch.run(Fake(), [], [Refused("alice", "alice.pdf", "no program")], tmp_path)
    assert rows(tmp_path)[0]["assignment"] == ""
    batch.run(Fake(), [submission("alice")], [], tmp_path)
    assert [(r["student"], r["assignment"]) for r in rows(tmp_path)] == [("alice", A)]


def test_hostile_names_and_texts_stay_data(tmp_path: Path) -> None:
    name = "=cmd|' /C calc'!A0"
    done = batch.run(Fake(), [submission(name), submission("../../up", "y")], [], tmp_path / "out")
    assert len(done.results) == 2 and not (tmp_path / "up").exists()
    assert sorted(r["student"] for r in rows(tmp_path / "out")) == sorted(["'" + name, "../../up"])
    for result in (tmp_path / "out" / "results").glob("*/*"):
        assert result.parent.parent == tmp_path / "out" / "results"


def test_lateness_needs_both_times(tmp_path: Path) -> None:
    course = Course.model_validate(
        {
            "course": "c",
            "assignments": [A],
            "due": {A: "2026-01-02T00:00:00+01:00"},
            "late": {"grace_minutes": 30},
        }
    )
    work = [
        submission("in_grace", "1", "2026-01-01T23:30:00+00:00"),
        submission("late", "2", "2026-01-01T23:31:00"),
        submission("unknown", "3"),
    ]
    batch.run(Fake(), work, [], tmp_path, course=course)
    assert [r["late"] for r in rows(tmp_path)] == ["no", "yes", ""]


def test_ctrl_c_keeps_what_is_done_and_commits_nothing_half(tmp_path: Path) -> None:
    started = threading.Event()

    def hook(s: Submission) -> None:
        if s.student == "b_slow":
            started.set()
            time.sleep(0.5)

    def interrupt(done: int, total: int, result: Result) -> None:
        started.wait(5)
        raise KeyboardInterrupt

    work = [submission("a", "1"), submission("b_slow", "2"), submission("c", "3")]
    fake = Fake(hook=hook)
    done = batch.run(fake, work, [], tmp_path, jobs=1, progress=interrupt)
    assert done.interrupted and done.waiting == 2
    assert [r["student"] for r in rows(tmp_path)] == ["a"]
    with Store(tmp_path / "store.sqlite") as store:
        assert store.states() == {"done": 1}
    again = Fake()
    done = batch.run(again, work, [], tmp_path)
    assert again.seen == ["b_slow", "c"] and done.reused == 1 and not done.interrupted


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_batch import Fake, submission
        from autograder.grading import batch
        def hook(s):
            with open({str(log)!r}, "a") as f:
                f.write(s.student + "\\n")
            if s.student == sys.argv[1]:
                os.kill(os.getpid(), signal.SIGKILL)
        work = [submission(f"s{{i}}", f"x = {{i}}") for i in range(6)]
        batch.run(Fake(hook=hook), work, [], Path({str(tmp_path / "out")!r}))
        """
    )

    def go(kill: str) -> int:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        return subprocess.run([sys.executable, "-c", script, kill], env=env, check=False).returncode

    assert go("s3") == -signal.SIGKILL
    assert go("nobody") == 0
    assert log.read_text().split() == ["s0", "s1", "s2", "s3", "s3", "s4", "s5"]
    straight = tmp_path / "straight"
    batch.run(Fake(), [submission(f"s{i}", f"x = {i}") for i in range(6)], [], straight)
    assert (straight / "grades.csv").read_bytes() == (tmp_path / "out/grades.csv").read_bytes()


def test_an_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError, match="cannot be made a folder"):
        batch.run(Fake(), [], [], tmp_path / "out")


def test_summaries_are_one_capped_line() -> None:
    check = CheckResult("a", "A", 1, Status.FAILED, 0, 1, Visibility.HIDDEN, (), "x\n" * 900)
    result = Result(A, "s", "", "graded", 0, 1, (check, replace(check, status=Status.PASSED)))
    text = files.summary(result)
    assert "\n" not in text and len(text) == files.MESSAGE_CAP and text.startswith("A: x x")
    same = Result(A, "s", "", "graded", 0, 2, (check, replace(check, id="b", title="B")))
    assert files.summary(same).startswith("2 checks: x x"), "one cause is told once"


# -- evidence that is not what was kept -----------------------------------------------------------


def evidence(out: Path, student: str) -> Path:
    return files.evidence_folder(out, student, A)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def changed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("harm", [torn, changed, Path.unlink])
@pytest.mark.parametrize(
    "file", ["d1.json", "d1.safetensors", "load.json", "d2.json", "index.json"]
)
def test_torn_evidence_is_graded_again(
    tmp_path: Path, file: str, harm: Callable[[Path], None]
) -> None:
    """As `regrade` says: grade that student again."""
    work = [submission("alice"), submission("bob", "bug")]
    batch.run(Fake(), work, [], tmp_path)
    table = (tmp_path / "grades.csv").read_bytes()
    harm(evidence(tmp_path, "alice") / file)
    again = Fake()
    done = batch.run(again, work, [], tmp_path)
    assert again.seen == ["alice"] and done.reused == 1
    assert set(files.read_evidence(evidence(tmp_path, "alice"))) == {"d1", "d2"}
    assert files.read_load(evidence(tmp_path, "alice")) == LOAD
    assert (tmp_path / "grades.csv").read_bytes() == table
    last = Fake()
    batch.run(last, work, [], tmp_path)
    assert last.seen == []


def test_evidence_that_is_gone_as_a_whole_is_made_anew(tmp_path: Path) -> None:
    import shutil

    batch.run(Fake(), [submission("alice")], [], tmp_path)
    shutil.rmtree(tmp_path / "evidence")
    again = Fake()
    batch.run(again, [submission("alice")], [], tmp_path)
    assert again.seen == ["alice"] and files.read_load(evidence(tmp_path, "alice")) == LOAD


def test_twins_heal_each_others_evidence(tmp_path: Path) -> None:
    twins = [submission("alice", "bug"), submission("bob", "bug")]
    batch.run(Fake(), twins, [], tmp_path)
    for student in ("alice", "bob"):
        torn(evidence(tmp_path, student) / "load.json")
        again = Fake()
        batch.run(again, twins, [], tmp_path)
        assert again.seen == []
        for who in ("alice", "bob"):
            assert files.read_load(evidence(tmp_path, who)) == LOAD


def test_a_twins_newer_work_is_nobody_elses_evidence(tmp_path: Path) -> None:
    """Bob's verdict points to where Alice's evidence lay when both had handed in the same."""
    batch.run(Fake(), [submission("alice", "bug"), submission("bob", "bug")], [], tmp_path)

    class Other(Fake):
        def grade(self, s: Submission, /) -> Graded:
            answer = super().grade(s)
            return Graded(answer.result, answer.load, {"newer": EVIDENCE["d2"]})

    work = [submission("alice", "x = 'newer'"), submission("bob", "bug")]
    again = Other()
    batch.run(again, work, [], tmp_path)
    assert again.seen == ["alice"]
    assert set(files.read_evidence(evidence(tmp_path, "alice"))) == {"newer"}
    assert set(files.read_evidence(evidence(tmp_path, "bob"))) == {"d1", "d2"}
    batch.run(Other(), work, [], tmp_path)
    assert set(files.read_evidence(evidence(tmp_path, "bob"))) == {"d1", "d2"}


def test_a_torn_result_is_written_anew(tmp_path: Path) -> None:
    work = [submission("alice"), submission("bob", "bug")]
    batch.run(Fake(), work, [], tmp_path)
    table = (tmp_path / "grades.csv").read_bytes()
    torn(files.result_path(tmp_path, "alice", A))
    again = Fake()
    batch.run(again, work, [], tmp_path)
    assert again.seen == [] and (tmp_path / "grades.csv").read_bytes() == table


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(GraderError, match=r"cannot be written: .* \(") as caught:
        batch.run(Fake(), [submission("alice")], [], tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    started = threading.Event()

    def hook(s: Submission) -> None:
        if s.student == "b":
            started.set()
            time.sleep(0.5)

    def stop(done: int, total: int, result: Result) -> None:
        started.wait(5)
        raise Stopped(number)

    work = [submission(s, s) for s in "abc"]
    done = batch.run(Fake(hook=hook), work, [], tmp_path, jobs=1, progress=stop)
    assert done.interrupted and done.stopped is not None
    assert done.stopped.status == 128 + number
    assert [r["student"] for r in rows(tmp_path)] == ["a"]
