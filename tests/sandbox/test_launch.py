"""A process that never came to the student's code is our fault; one that did is theirs, for good.

The package that enters the box is copied and broken in one place, so that each stage fails in
a real box in its turn.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from autograder.checks.judge import World
from autograder.errors import SandboxError
from autograder.grading.grader import Grader
from autograder.model import Job, Limits, ProbeRequest, Program, Submission
from autograder.sandbox import Bubblewrap, bubblewrap, plain
from autograder.sandbox.base import inside_folder
from tests.samples import ROOT

pytestmark = pytest.mark.sandbox
SLOW = pytest.mark.slow
LIMITS = Limits(wall_s=20, check_s=10, memory_mb=600)
CALL = ProbeRequest("values:call", {"name": "f"}, {}, "fresh")
FAIL = "def {}(*a, **k): raise OSError(28, 'sabotage')"
SECOND = """
_true = {name}
def {name}(*a, **k):
    import os
    if os.path.exists('/tmp/once'):
        raise OSError(28, 'sabotage')
    open('/tmp/once', 'w').close()
    return _true(*a, **k)
"""
"""Fails from the second process of a box on."""
STAGES = {
    "become_student": ("box/launch", FAIL.format("become_student")),
    "limits": ("box/limits", FAIL.format("limit")),
    "landlock": ("box/landlock", FAIL.format("restrict")),
    "syscalls": ("box/seal", FAIL.format("_filter_syscalls")),
    "mounts": ("box/seal", FAIL.format("_new_mounts")),
    "capabilities": ("box/seal", FAIL.format("_keep_capabilities")),
    "dumpable": ("box/seal", FAIL.format("dumpable")),
    "user": ("box/seal", "def _enter(self): raise OSError(28, 'sabotage')\nWall.enter = _enter"),
    "recorder": ("recorder/light", FAIL.format("install")),
    "killed": ("box/seal", "def _enter(self): os.kill(os.getpid(), 9)\nWall.enter = _enter"),
    "no_process": (
        "box/launch",
        "class os(type(os)):\n    pass\nos = os('os')\nimport os as _os\n"
        "os.__dict__.update(vars(_os))\n" + FAIL.format("_no_fork") + "\nos.fork = _no_fork",
    ),
}


def copied(tmp_path: Path, module: str, code: str) -> Path:
    """A copy of `inside` with `code` at the end of one module."""
    copy = tmp_path / "inside"
    shutil.copytree(inside_folder(), copy)
    with (copy / f"{module}.py").open("a") as f:
        f.write(f"\n{code}\n")
    return copy


def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str) -> Bubblewrap:
    """Boxes from such a copy."""
    copy = copied(tmp_path, module, code)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "inside_folder", lambda: copy)
    shelf = tmp_path / "shelf"
    shelf.mkdir(mode=0o755)
    return Bubblewrap(shelf, ())


@pytest.mark.parametrize(
    "stage", [s if s in ("limits", "killed") else pytest.param(s, marks=SLOW) for s in STAGES]
)
def test_a_failure_before_student_code_is_our_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    with broken(tmp_path, monkeypatch, *STAGES[stage]) as sandbox:
        job = Job(Program("script", "w.py", ("def f(): return 1",)), {}, LIMITS)
        said = "ended without a word" if stage == "killed" else "sabotage"
        with sandbox.open(job) as box, pytest.raises(SandboxError, match=said):
            box.load()


def test_such_a_submission_is_ungradable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = broken(tmp_path, monkeypatch, *STAGES["limits"])
    monkeypatch.setattr("autograder.grading.grader.choose", lambda *a, **k: made)
    work = (
        ROOT / "assignments/04-training-loop/submissions/correct_plain/training_loop.py"
    ).read_text()
    with Grader(ROOT, "bubblewrap", cache=tmp_path / "cache") as grader:
        spec = grader.assignment("04-training-loop")
        monkeypatch.setattr(grader, "world", lambda _: World(spec))  # no calibration: no box runs
        monkeypatch.setattr(grader, "prepared", lambda _: None)
        program = Program("script", "training_loop.py", (work,))
        result = grader.grade(Submission("ann", "04-training-loop", program, {})).result
    assert result.status == "ungradable" and result.checks == ()
    assert "sabotage" in result.notes[0]


HUNTERS = {
    # what is left running kills every newborn
    "process": """
import os, signal
if os.fork() == 0:
    os.setsid()
    while True:
        try: os.kill(-1, signal.SIGKILL)
        except OSError: pass
""",
    # and so does the loaded program itself, from a thread
    "thread": """
import os, signal, threading
def hunt():
    while True:
        for p in os.listdir('/proc'):
            if p.isdigit() and int(p) not in (1, os.getpid()):
                try: os.kill(int(p), 9)
                except OSError: pass
threading.Thread(target=hunt, daemon=True).start()
""",
}


@pytest.mark.parametrize("code", HUNTERS.values(), ids=HUNTERS)
def test_a_submission_cannot_make_itself_our_fault(tmp_path: Path, code: str) -> None:
    """Whatever it left running is ended, and the process starts alone, or is killed as theirs."""
    tmp_path.chmod(0o755)
    with Bubblewrap(tmp_path) as sandbox:
        program = Program("script", "w.py", (f"def f(): return 1\n{code}",))
        with sandbox.open(Job(program, {}, LIMITS)) as box:
            box.load()
            for _ in range(3):
                assert box.probe(CALL).status in ("done", "crash")


def test_a_later_process_that_fails_alone_is_our_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = SECOND.format(name="become_student")
    with broken(tmp_path, monkeypatch, "box/launch", code) as sandbox:
        job = Job(Program("script", "w.py", ("def f(): return 1",)), {}, LIMITS)
        with sandbox.open(job) as box:
            assert box.load().status == "done"
            with pytest.raises(SandboxError, match="sabotage"):
                box.probe(CALL)


def test_without_a_wall_nothing_is_left_of_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied(tmp_path, "box/launch", SECOND.format(name="become_student"))
    monkeypatch.setattr(plain, "inside_folder", lambda: copy)
    Path("/tmp/once").unlink(missing_ok=True)
    text = "import os\nprint(os.getpid())\ndef f(): return 1"
    try:
        with plain.Plain() as sandbox:
            with sandbox.open(Job(Program("script", "w.py", (text,)), {}, LIMITS)) as box:
                program = Path("/proc", box.load().output.strip())
                assert program.exists()
                with pytest.raises(SandboxError, match="sabotage"):
                    box.probe(CALL)
            for _ in range(100):
                if not program.exists():
                    return
                time.sleep(0.05)
            pytest.fail("the loaded program outlived its box")
    finally:
        Path("/tmp/once").unlink()


@pytest.mark.parametrize(
    "code", ["os._exit(70)", "raise OSError('sabotage')", "os.kill(os.getpid(), 9)"]
)
def test_what_happens_after_stays_theirs(tmp_path: Path, code: str) -> None:
    """Neither an exit code nor bytes on any descriptor take back that it was ready."""
    forge = (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'OSError: sabotage')\n"
        f"    except OSError: pass\ndef f(): pass\n{code}"
    )
    tmp_path.chmod(0o755)
    job = Job(Program("script", "w.py", (forge,)), {}, LIMITS)
    with Bubblewrap(tmp_path) as sandbox, sandbox.open(job) as box:
        assert box.load().status in ("crash", "output")
        assert box.probe(CALL).status != "done"
