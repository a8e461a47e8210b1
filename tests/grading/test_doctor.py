"""The doctor: what is missing is named with its remedy, and a real box is the last word."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from autograder.course import images
from autograder.errors import SandboxError
from autograder.grading import doctor
from autograder.grading.doctor import Finding
from autograder.model import ErrorInfo, Job, LoadReport
from autograder.sandbox import cgroup


def test_this_machine_has_what_the_tests_need() -> None:
    for finding in (doctor.python(), doctor.torch(), doctor.torchvision()):
        assert finding.ok, finding


def test_every_finding_of_a_bare_machine_has_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    monkeypatch.setattr(doctor, "_run", lambda command, seconds: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setattr(doctor, "CGROUPS", tmp_path)
    monkeypatch.setattr(cgroup, "_MOUNTS", tmp_path / "none")
    monkeypatch.setattr(doctor, "PYTHON", ((2, 7), (2, 7)))
    monkeypatch.setattr("autograder.sandbox.choose", _broken)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FIVE_BEATS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    found = [f for f in doctor.examine() if f.name != "landlock"]
    assert all(not f.ok and f.remedy and f.found for f in found), found
    assert not doctor.able(found)
    needed = {f.name for f in found if f.needed}
    assert {"torch", "bubblewrap", "user namespaces", "libseccomp", "a box"} <= needed
    assert "GPU" not in needed and "cgroups" not in needed


def test_it_says_which_control_groups_a_box_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Made:
        version, names = 1, ("memory", "pids")

        def close(self) -> None: ...

    monkeypatch.setattr(cgroup, "available", Made)
    found = doctor.cgroups()
    assert found.ok and found.found == "version 1, one for each box (memory, pids)"
    monkeypatch.setattr(cgroup, "available", lambda: None)
    monkeypatch.setattr(doctor, "CGROUPS", tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    found = doctor.cgroups()
    assert not found.ok and found.found == "version 2, but none may be made here"
    assert "Delegate=yes" in found.remedy


def _broken(*args: object) -> None:
    raise SandboxError("bubblewrap cannot be started")


class _Sandbox:
    name = "fake"

    def __init__(self, load: LoadReport) -> None:
        self.answer = load
        self.closed = False

    def open(self, job: Job) -> _Sandbox:
        assert "torch" in job.program.text
        return self

    def load(self) -> LoadReport:
        return self.answer

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> _Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.mark.parametrize(
    ("load", "ok", "part"),
    [
        (LoadReport("done", output="42\n"), True, "opened and ran torch"),
        (LoadReport("done", output=""), False, "code fails in it: done"),
        (
            LoadReport("done", (ErrorInfo("ImportError", "no torch", 1),)),
            False,
            "ImportError at line 1: no torch",
        ),
        (LoadReport("crash", detail="killed by signal 31"), False, "signal 31"),
    ],
)
def test_only_a_box_in_which_torch_runs_is_a_box(
    load: LoadReport, ok: bool, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = _Sandbox(load)
    monkeypatch.setattr("autograder.sandbox.choose", lambda *args: sandbox)
    finding = doctor.box()
    assert finding.ok is ok and part in finding.found and finding.needed
    assert sandbox.closed


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor_restrict"),
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "max_user_namespaces="),
    ],
)
def test_refused_namespaces_name_the_setting(
    setting: str, value: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / setting
    path.parent.mkdir(parents=True)
    path.write_text(value + "\n")
    monkeypatch.setattr(doctor, "PROC", tmp_path)
    failed: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 1, "", "no")
    monkeypatch.setattr(doctor, "_run", lambda command, seconds: failed)
    finding = doctor.user_namespaces()
    assert not finding.ok and remedy in finding.remedy and setting in finding.found
    assert finding.remedy.startswith("sudo sysctl -w")


def test_a_mismatched_pair_is_told_its_partner(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": (2, 6), "torchvision": (0, 28)}
    monkeypatch.setattr(doctor, "_version", versions.get)
    finding = doctor.torchvision()
    assert not finding.ok and "torchvision==0.21.*" in finding.remedy


def test_torchvision_for_boxes_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
        works = "declare()" in command[-1]
        return subprocess.CompletedProcess(command, int(not works), "", "" if works else "no nms\n")

    monkeypatch.setattr(doctor, "_run", run)
    finding = doctor.torchvision()
    assert not finding.ok and finding.needed and "no nms" in finding.found
    assert finding.remedy.endswith("-m autograder.inside.torchvision_compat")


def test_images_in_the_courses_folder_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the grader finds them: a relative path is one of the course's folder."""
    raw = tmp_path / "course" / "images" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in images.FILES:
        (raw / name).write_bytes(b"")
    text = "course: c\nassignments: []\ndata: images\n"
    (tmp_path / "course" / "grading_config.yml").write_text(text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = {f.name: f for f in doctor.data(tmp_path / "course")}
    assert found["data: mnist"].found == str(tmp_path / "course" / "images")
    assert found["data: fashion-mnist"].ok == bool(images.find_root("fashion-mnist", None, None))


def test_a_wrong_data_setting_is_named(tmp_path: Path) -> None:
    config = "course: c\nassignments: []\ndata: /nowhere/at/all\n"
    (tmp_path / "grading_config.yml").write_text(config)
    found = doctor.data(tmp_path)
    assert [f.ok for f in found] == [False, False] and "/nowhere/at/all" in found[0].found
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "grading_config.yml").write_text("cuorse: c\n")
    broken = doctor.data(tmp_path / "broken")
    assert not broken[0].ok and broken[0].needed


def test_for_machines() -> None:
    found = [Finding("a", ok=True, found="x", needed=True), Finding("b", ok=False, found="y")]
    told = json.loads(doctor.as_json(found))
    assert told["able"] is True and [f["name"] for f in told["findings"]] == ["a", "b"]
    assert not doctor.able([Finding("a", ok=False, found="", needed=True)])


# -- the course's files ----------------------------------------------------------------------------


def small(
    root: Path, use: str = "checkpoint, ask: exists", listed: str = "[09-some]", more: str = ""
) -> Path:
    folder = root / "assignments" / "09-some"
    folder.mkdir(parents=True)
    (folder / "assignment.yml").write_text(
        "id: 09-some\ntitle: Some\nversion: 1\nmodule: some\nchecks:\n"
        f"  - {{id: a, use: {use}, title: A, task: 1, points: 1}}\n"
    )
    (root / "grading_config.yml").write_text(f"course: c\nassignments: {listed}\n{more}")
    return root


def test_a_course_that_is_well_is_one_tick(tmp_path: Path) -> None:
    (found,) = doctor.configuration(small(tmp_path))
    assert found.ok and found.found == "1 assignments, and the checks that they name"
    assert doctor.configuration(None) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"use": "chekpoint, ask: exists"},
            "assignment.yml:6: check 'a' uses 'chekpoint', which is no check",
        ),
        ({"listed": "[09-smoe]"}, "did you mean '09-some'?"),
        ({"more": "due: {09-some: 2026-10-12T20:00}\n"}, "1 times without an offset count as UTC"),
    ],
)
def test_a_course_that_is_not_well_is_told(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    found = doctor.configuration(small(tmp_path, **changes))
    assert [f.ok for f in found] == [False] and said in found[0].found and found[0].remedy
    assert found[0].needed == ("offset" not in said)


def test_a_calibration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    small(tmp_path)
    for text in ("a: [", "a: 1", "- 1", "k: {accuracies: [x]}"):
        (tmp_path / "assignments" / "09-some" / "calibration.yml").write_text(text)
        (found,) = doctor.configuration(tmp_path)
        assert not found.ok and "calibration.yml: is no calibration" in found.found
        assert "autograder calibrate 09-some" in found.found
