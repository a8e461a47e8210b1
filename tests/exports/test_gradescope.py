"""Gradescope: results.json by its format, and the real zip in a container's layout."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from autograder import gradescope as inside_gradescope
from autograder.course.config import Course
from autograder.errors import GraderError
from autograder.exports import gradescope
from autograder.model import CheckResult, Result, Status, Visibility
from autograder.results import lateness as policy
from autograder.sandbox import uid
from tests.handing import A4, graded, late, lost, order

ROOT = Path(__file__).resolve().parents[2]
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP = {
    "score": float, "execution_time": (int, float), "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES, "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST = {
    "score": float, "max_score": float, "status": {"passed", "failed"}, "name": str,
    "name_format": FORMATS, "number": str, "output": str, "output_format": FORMATS, "tags": list,
    "visibility": VISIBILITIES, "extra_data": dict,
}  # fmt: skip


def wrong(raw: dict[str, Any], allowed: dict[str, Any] = TOP) -> list[str]:
    """What Gradescope's format does not know or allow, in words."""
    found = []
    for key, value in raw.items():
        rule = allowed.get(key)
        if rule is None:
            found.append(f"unknown key {key}")
        elif isinstance(rule, set):
            found += [] if value in rule else [f"{key} is {value!r}"]
        elif isinstance(value, bool) or not isinstance(value, rule):
            found.append(f"{key} is a {type(value).__name__}")
    if allowed is TOP:
        if "score" not in raw and not all("score" in t for t in raw.get("tests", [])):
            found.append("no score")
        for test in raw.get("tests", []):
            found += wrong(test, TEST)
        for row in raw.get("leaderboard", []):
            if set(row) - {"name", "value", "order"} or not {"name", "value"} <= set(row):
                found.append(f"leaderboard {row}")
    return found


def course(hidden: str = "full") -> Course:
    text = {"course": "c", "assignments": [A4], "feedback": {"hidden": hidden}}
    return Course.model_validate(text)


def check(status: Status, score: float, *, public: bool = False, **more: Any) -> CheckResult:
    visibility = Visibility.PUBLIC if public else Visibility.HIDDEN
    given = {"message": "seen", "help": "learn", "bugs": ("missing_step",), **more}
    return CheckResult("c", "A check", 2, status, score, 4.0, visibility, **given)


def test_the_validator_of_these_tests_refuses_what_is_wrong() -> None:
    assert wrong({"score": 1.0, "tests": [{"score": 1.0, "status": "passed"}]}) == []
    bad = {"score": "1", "visibility": "maybe", "mood": 1, "tests": [{"number": 1.1}]}
    assert len(wrong(bad)) == 4


def test_a_result_becomes_tests_with_their_points() -> None:
    checks = (
        check(Status.PASSED, 4.0, public=True, bugs=()),
        check(Status.PARTIAL, 1.5, value=0.81234),
        check(Status.FAILED, 0.0),
        check(Status.DEFERRED, 0.0, bugs=()),
    )
    found = gradescope.results(replace(graded("a", 5.5), checks=checks), course())
    assert wrong(found) == []
    tests = found["tests"]
    assert [(t["score"], t["max_score"], t.get("status")) for t in tests] == [
        (4.0, 4.0, "passed"), (1.5, 4.0, None), (0.0, 4.0, "failed"), (0.0, 0.0, None),
    ]  # fmt: skip
    assert [t["number"] for t in tests] == ["2.1", "2.2", "2.3", "2.4"]
    assert [t["visibility"] for t in tests] == ["visible"] + ["after_due_date"] * 3
    assert tests[2]["output"] == "seen\n\nBug: missing_step\n\nlearn"
    assert "learn" not in tests[0]["output"]
    assert found["leaderboard"] == [], "a hidden check's figure is nobody's before the due date"
    assert found["score"] == 5.5 and json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("hidden", "visibility", "output", "tags"),
    [
        ("full", "after_due_date", "seen\n\nBug: missing_step\n\nlearn", ["missing_step"]),
        ("title", "after_due_date", "", []),
        ("none", "hidden", "", []),
    ],
)
def test_hidden_checks_tell_what_the_course_allows(
    hidden: str, visibility: str, output: str, tags: list[str]
) -> None:
    checks = (check(Status.FAILED, 0.0), check(Status.FAILED, 0.0, public=True))
    found = gradescope.results(replace(graded("a"), checks=checks), course(hidden))
    first, second = found["tests"]
    assert (first["visibility"], first["output"], first["tags"]) == (visibility, output, tags)
    assert second["visibility"] == "visible" and second["tags"] == ["missing_step"]


def test_texts_of_strangers_are_clean_and_never_markup() -> None:
    hostile = "<script>alert(1)</script>\x1b[31m\u202e"
    checks = (check(Status.FAILED, 0.0, message=hostile * 2_000),)
    found = gradescope.results(replace(graded("a"), checks=checks, notes=(hostile,)), course())
    assert wrong(found) == [] and "\x1b" not in json.dumps(found) and "\\u202e" not in str(found)
    assert len(found["tests"][0]["output"]) <= 8_000
    assert {found[k] for k in found if k.endswith("_format")} == {"text"}, "text is escaped there"


def open_(result: Result) -> Result:
    """The same result with all its checks public."""
    checks = tuple(replace(c, visibility=Visibility.PUBLIC) for c in result.checks)
    return replace(result, checks=checks)


def test_lateness_is_taken_off_and_told() -> None:
    found = gradescope.results(open_(late(graded("a", 16.0), 2.0)), course())
    assert found["score"] == 14.0 and found["extra_data"]["raw_score"] == 16.0
    assert "14 of 20 points" in found["output"]
    assert "Late: late; 16 before that" in found["output"]


@pytest.mark.parametrize("hidden", ["full", "title", "none"])
@pytest.mark.parametrize("score", [0.0, 1.25, 17.5, 20.0])
def test_no_total_is_in_sight_while_a_test_is_hidden(hidden: str, score: float) -> None:
    """Neither points nor accuracy, from which a student could climb by handing in again."""
    shown = check(Status.PASSED, 1.0, public=True, bugs=(), value=0.5)
    unseen = check(Status.PARTIAL, score, value=0.87654)
    rules = Course.model_validate(
        {
            "course": "c", "assignments": [A4], "feedback": {"hidden": hidden},
            "due": {A4: "2026-10-13T23:00:00-07:00"}, "late": {"per_day": 0.1},
        }
    )  # fmt: skip
    result = replace(
        graded("a", 1.0 + score), checks=(shown, unseen), submitted_at="2026-10-14T12:00-07:00"
    )
    judged = policy.judged(result, rules)
    found = gradescope.results(judged, rules)
    assert wrong(found) == []
    assert found["leaderboard"] == [
        {"name": "Accuracy on hidden images", "value": 0.5, "order": "desc"}
    ]
    seen = json.dumps(
        [found["output"], found["leaderboard"]]
        + [t for t in found["tests"] if t["visibility"] == "visible"]
    )
    for told in ("of 20", "points", "before that", "0.87", f"{judged.score:g} of"):
        assert told not in seen
    assert "Late: handed in 13 hours after 2026-10-13T23:00:00-07:00" in found["output"]
    both = gradescope.results(open_(judged), rules)
    assert both["output"].startswith(f"{judged.score:g} of 20 points")
    assert "points off" in both["output"] and len(both["leaderboard"]) == 2


def test_what_could_not_be_graded_has_no_results(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="could not be graded: no program"):
        gradescope.results(lost("a"), course())
    given = order(tmp_path, graded("alice"), lost("bob"), graded("../x"))
    gradescope.export(given)
    files = sorted(tmp_path.rglob("*.json"))
    assert [p.relative_to(tmp_path).parts[0] for p in files] == ["to", "to"]
    assert tmp_path / "to" / "alice" / A4 / "results.json" in files
    assert wrong(json.loads((tmp_path / "to" / "alice" / A4 / "results.json").read_text())) == []
    assert given.missed == [f"{A4}: bob: could not be graded, and so has no results.json"]


def test_nothing_to_grade_is_told_to_whoever_handed_it_in() -> None:
    found = gradescope.unusable("holds <no> notebook\x1b[0m", 20.0)
    assert wrong(found) == [] and found["score"] == 0.0
    assert "Nothing was graded: holds <no> notebook." in found["output"]


METADATA = {
    "id": 123456,
    "created_at": "2026-10-14T12:00:00.365935-07:00",
    "assignment": {
        "due_date": "2026-10-13T23:00:00.000000-07:00", "group_size": 4, "group_submission": True,
        "id": 25828, "course_id": 1234, "late_due_date": None,
        "release_date": "2026-07-02T00:00:00.000000-07:00", "title": "Four", "total_points": "20.0",
    },
    "submission_method": "upload",
    "users": [{"email": "ann@example.com", "id": 1, "name": "Ann \x1b[31mExample"}],
    "previous_submissions": [{"submission_time": "2026-10-01T00:00:00-07:00", "score": 0.0}],
}  # fmt: skip


def test_metadata_is_read_as_gradescope_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(METADATA))
    handed = gradescope.metadata(path)
    assert handed.users == ("Ann Example",) and handed.emails == ("ann@example.com",)
    rules = Course.model_validate(
        {"course": "c", "assignments": [A4], "late": {"per_day": 0.1, "grace_minutes": 5}}
    )
    spec: Any = type("Spec", (), {"id": A4})
    result = replace(graded("a", 20.0), submitted_at=handed.created_at)
    judged = policy.judged(result, inside_gradescope.policy(rules, spec, handed))
    assert judged.late is not None and (judged.late.days, judged.score) == (1, 18.0)
    no_due = {**METADATA, "assignment": {**METADATA["assignment"], "due_date": None}}  # type: ignore[dict-item]
    path.write_text(json.dumps(no_due))
    assert inside_gradescope.policy(rules, spec, gradescope.metadata(path)) is rules
    for broken in (
        "[]",
        "{",
        '{"assignment": []}',
        '{"created_at": "yesterday"}',
        '{"created_at": 7}',
    ):
        path.write_text(broken)
        with pytest.raises(GraderError, match="cannot be read"):
            gradescope.metadata(path)


# -- the real zip, where Gradescope would lay it ---------------------------------------------------


@dataclass
class Container:
    """Gradescope's folders below a folder of ours, with the real scripts."""

    base: Path

    @property
    def root(self) -> Path:
        return self.base / "autograder"

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.base),
            "FIVE_BEATS_HOME": str(self.base / "opt"),
            "FIVE_BEATS_PYTHON": sys.executable,
            "GRADESCOPE_ROOT": str(self.root),
        }
        return subprocess.run(
            [str(self.root / script)],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def grade(self, files: dict[str, bytes], **metadata: Any) -> dict[str, Any]:
        """Hand in `files` and run the autograder; its results.json, {} where it left none."""
        shutil.rmtree(self.root / "submission", ignore_errors=True)
        (self.root / "submission").mkdir()
        for name, raw in files.items():
            (self.root / "submission" / name).write_bytes(raw)
        text = json.dumps({**METADATA, **metadata})
        (self.root / "submission_metadata.json").write_text(text)
        self.last = self.run("run_autograder")
        path = self.root / "results" / "results.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return found


def sample(name: str) -> dict[str, bytes]:
    folder = ROOT / "assignments" / A4 / "submissions" / name
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    # not below pytest's own folder, which is closed to other users as a whole
    base = Path(tempfile.mkdtemp(prefix="gradescope-", dir="/var/tmp"))
    base.chmod(0o755)
    made = Container(base)
    zips = [base / "one.zip", base / "two.zip"]
    for path in zips:
        subprocess.run(
            [sys.executable, "-m", "autograder", "package", A4, "--for", "gradescope", "-o", path],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    assert zips[0].read_bytes() == zips[1].read_bytes(), "the same bytes"
    for folder in ("source", "submission", "results"):
        (made.root / folder).mkdir(parents=True)
    subprocess.run(["unzip", "-q", zips[0], "-d", made.root / "source"], check=True)
    shutil.copy(made.root / "source" / "run_autograder", made.root)
    done = made.run("source/setup.sh")
    assert done.returncode == 0, done.stderr
    assert "a box opens here" in done.stdout
    yield made
    shutil.rmtree(base)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.sandbox
def test_the_zip_holds_what_it_needs_and_no_solution(container: Container) -> None:
    with zipfile.ZipFile(container.base / "one.zip") as z:
        names = set(z.namelist())
        modes = {i.filename: i.external_attr >> 16 for i in z.infolist()}
    assert {"setup.sh", "run_autograder"} <= names, "at the root, without a folder around them"
    assert all(modes[n] & stat.S_IXUSR for n in ("setup.sh", "run_autograder"))
    assert f"grader/assignments/{A4}/calibration.yml" in names
    left = [n for n in names if "source/" in n or "submissions/" in n or "__pycache__" in n]
    assert left == []


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.sandbox
def test_honest_work_gets_full_marks_and_late_work_what_is_left(container: Container) -> None:
    found = container.grade(sample("correct_plain"), created_at="2026-10-13T22:59:00-07:00")
    assert wrong(found) == [] and found["score"] == 20.0, container.last.stderr
    assert len(found["tests"]) > 10 and found["leaderboard"] == []
    assert "20 points" not in found["output"]
    assert sum(t["score"] for t in found["tests"]) == pytest.approx(20.0)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.sandbox
def test_a_bug_is_named_and_lateness_told(container: Container) -> None:
    found = container.grade(sample("bug_missing_zero_grad"))
    assert wrong(found) == [] and 0 < found["score"] < 20
    assert "missing_zero_grad" in {tag for t in found["tests"] for tag in t["tags"]}
    assert "handed in 13 hours after 2026-10-13T23:00:00" in found["output"]


SPY = """
import os, pathlib, sys
root, home = pathlib.Path({root!r}), pathlib.Path({home!r})
got = []
for path in [
    root / "submission_metadata.json", root / "results", root / "source", root / "submission",
    root / "source" / "grader" / "assignments", home / "grader" / "assignments",
    home / "grader" / "assignments" / {a!r} / "assignment.yml", home / "grader",
    home / "grader" / "grading_config.yml", home / "grader" / "autograder",
    home / "grader" / "autograder" / "digits.npz", home / "grader" / "autograder" / "checks",
    home / "grader" / "autograder" / "judge.py",
]:
    try:
        os.listdir(path) if path.is_dir() else path.read_bytes()
        got.append("read " + path.name)
    except OSError:
        pass
for path in [
    root / "results" / "results.json", root / "run_autograder", home / "python",
    home / "grader" / "autograder" / "inside" / "box" / "answer.py", home / "grader" / "x",
]:
    try:
        path.write_text('{{"score": 20}}')
        got.append("wrote " + path.name)
    except OSError:
        pass
raise RuntimeError("got: " + ", ".join(got) if got else "got nothing as user %d" % os.getuid())
"""


def as_user(user: int, source: str) -> str:
    """What `source` raises when it runs as another user, outside of every box."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            exec(compile(source, "spy", "exec"), {})
        except RuntimeError as e:
            os.write(write, str(e).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read, "rb") as f:
        return f.read().decode()


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.sandbox
def test_a_hostile_program_finds_nothing_and_changes_nothing(container: Container) -> None:
    text = SPY.format(root=str(container.root), home=str(container.base / "opt"), a=A4)
    found = container.grade({"training_loop.py": text.encode()})
    assert wrong(found) == [] and found["score"] == 0.0, container.last.stderr
    user = re.search(r"got nothing as user (\d+)", found["output"])
    assert user and int(user[1]) - uid.FIRST in range(uid.COUNT), found["output"]
    alone = as_user(61_000, text)
    assert alone == "got nothing as user 61000", "by permissions alone, whatever the kernel adds"


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.sandbox
def test_nothing_to_grade_and_the_graders_own_fault_are_two_things(container: Container) -> None:
    found = container.grade({"report.pdf": b"%PDF"})
    assert wrong(found) == [] and found["score"] == 0.0
    assert "holds no notebook and no script" in found["output"]
    two = {**sample("correct_plain"), "helper.py": b"h = 1"}
    with_helper = container.grade(two)
    assert len(with_helper["tests"]) > 10, "a file beside the program is no second student"
    assert container.grade(sample("correct_plain"), assignment=[]) == {}
    assert container.last.returncode == 1
    assert "could not grade, which is not a zero" in container.last.stderr
