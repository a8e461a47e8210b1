"""Faults of the machine: whatever dies, and whenever, the class is graded by a rerun, alike.

The class is cheap: two checks of a model, no images, no training. It goes through the whole
way nonetheless: the command line, boxes of bubblewrap, evidence, the store and the table.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from autograder.model import Job, Limits, ProbeRequest, Program
from autograder.sandbox import Bubblewrap

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
ID = "04-training-loop"
CHECKS = ("mlp_shape", "mlp_logits")
MODEL = """
import time, torch
from torch import nn

class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
        )

    def forward(self, x):
        return {}

time.sleep(0.6)
print({!r})
"""
OUTPUTS = ("self.net(x)", "torch.softmax(self.net(x), 1)", "self.net(x)[:, :9]")
SIZE = 8


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of one assignment without images, and a class of `SIZE` students."""
    root = tmp_path_factory.mktemp("faults") / "course"
    home = root / "assignments" / ID
    home.mkdir(parents=True)
    (root / "grading_config.yml").write_text(f"course: Small\nassignments: [{ID}]\n")
    raw = yaml.safe_load((ROOT / "assignments" / ID / "assignment.yml").read_text())
    checks = [c for c in raw["checks"] if c["id"] in CHECKS]
    assert len(checks) == len(CHECKS)
    spec = {**{k: v for k, v in raw.items() if k != "data"}, "checks": checks}
    (home / "assignment.yml").write_text(yaml.safe_dump(spec))
    (root / "class").mkdir()
    for i in range(SIZE):
        text = MODEL.format(OUTPUTS[i % len(OUTPUTS)], f"student {i}")
        (root / "class" / f"s{i}.py").write_text(text)
    return root


def command(out: Path, jobs: int = 2) -> list[str]:
    grade = ["grade", "class", "-a", ID, "-o", str(out), "--sandbox", "bubblewrap"]
    return [sys.executable, "-m", "autograder", *grade, "--jobs", str(jobs)]


def environment(course: Path) -> dict[str, str]:
    cache = str(course.parent / "cache")
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": cache, "OMP_NUM_THREADS": "1"}


def graded(
    course: Path, out: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        command(out),
        cwd=course,
        env=environment(course),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,  # nothing else runs in this process
    )


def table(out: Path) -> bytes:
    return (out / "grades.csv").read_bytes()


def stat(pid: int) -> tuple[int, str]:
    """(parent, state) of a process; (0, "") where it is gone."""
    with contextlib.suppress(OSError):
        words = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
        return int(words[1]), words[0]
    return 0, ""


def descendants(of: int) -> dict[int, int]:
    """Living processes below `of`, each with its parent."""
    everyone = {int(p): stat(int(p)) for p in os.listdir("/proc") if p.isdigit()}
    found: dict[int, int] = {}
    known = {of}
    while more := {
        p: parent
        for p, (parent, state) in everyone.items()
        if parent in known and p not in known and state != "Z"
    }:
        found |= more
        known |= set(more)
    return found


def results(out: Path) -> int:
    return len(list(out.glob("results/*/*.json")))


def wait_for(what: Callable[[], bool], timeout: float = 120.0) -> None:
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(course: Path) -> bytes:
    """The table of a run that nothing happens to."""
    done = graded(course, course.parent / "straight")
    assert done.returncode == 0, done.stderr
    found = table(course.parent / "straight")
    assert len(found.splitlines()) == SIZE + 1 and b"ungradable" not in found
    return found


def kill_the_template(grader: int) -> None:
    """The template's room: the first process that the grader started."""
    for pid, parent in descendants(grader).items():
        if parent == grader:
            os.kill(pid, signal.SIGKILL)


def kill_supervisors(grader: int) -> None:
    """Pid 1 of every box there is for a second: some box is then at work, not at its end."""
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        for pid in supervisors(descendants(grader)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def supervisors(below: dict[int, int]) -> list[int]:
    """Processes that are pid 1 of a namespace two levels down, with a child of their own."""
    found = []
    for pid in set(below.values()) & set(below):
        with contextlib.suppress(OSError):
            line = re.search(r"NSpid:(.*)", Path("/proc", str(pid), "status").read_text())
            levels = line.group(1).split() if line else []
            if len(levels) >= 3 and levels[-1] == "1":
                found.append(pid)
    return found


def kill_the_grader(grader: int) -> None:
    os.kill(grader, signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_the_template, kill_supervisors, kill_the_grader])
@pytest.mark.parametrize("after", [0, 3])
def test_whatever_is_killed_a_rerun_gives_the_same_grades(
    course: Path, tmp_path: Path, undisturbed: bytes, kill: Callable[[int], None], after: int
) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        command(out),
        cwd=course,
        env=environment(course),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as grader:
        wait_for(lambda: bool(supervisors(descendants(grader.pid))) and results(out) >= after)
        below = set(descendants(grader.pid))
        kill(grader.pid)
        assert grader.wait(timeout=200) in (0, 1, -signal.SIGKILL)
    wait_for(lambda: not any(stat(p)[1] not in ("", "Z") for p in below), 30)
    assert results(out) < SIZE or b"ungradable" in table(out), "nothing was disturbed"
    again = graded(course, out)
    assert again.returncode == 0, again.stderr
    assert table(out) == undisturbed
    assert not list(out.rglob("*.part"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder on a disk of its own that soon is full, and what makes room on it."""
    out = tmp_path / "disk"
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(out)]
    subprocess.run(mount, check=True, capture_output=True)
    grow = ["mount", "-o", "remount,size=64m", str(out)]
    try:
        yield out, lambda: subprocess.run(grow, check=True).check_returncode()
    finally:
        subprocess.run(["umount", "-l", str(out)], check=True)


@pytest.mark.root
def test_a_full_disk_is_one_line_and_a_rerun_finishes(
    course: Path, undisturbed: bytes, small_disk: tuple[Path, Callable[[], None]]
) -> None:
    out, make_room = small_disk
    full = graded(course, out)
    assert full.returncode == 1
    (line,) = [x for x in full.stderr.splitlines() if x]
    assert line.startswith("autograder: ") and "cannot be written" in line and "room" in line
    for path in out.glob("results/*/*.json"):
        json.loads(path.read_text())
    assert not list(out.rglob("*.part"))
    make_room()
    again = graded(course, out)
    assert again.returncode == 0, again.stderr
    assert table(out) == undisturbed


def test_files_that_may_not_grow_are_a_full_disk_too(
    course: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    out = tmp_path / "out"
    full = graded(course, out, limit)
    assert full.returncode in (1, 2)
    (line,) = [x for x in full.stderr.splitlines() if x]
    assert line.startswith("autograder: ")
    assert graded(course, out).returncode == 0
    assert table(out) == undisturbed


def test_no_limit_is_kept_by_a_clock_that_jumps() -> None:
    """Only clocks that never jump measure time; what the calendar says goes into labels, and into
    whether a deadline is over: for whom nobody has heard of, and before solutions are published.
    """
    calendar = {
        ROOT / "autograder" / "results" / f"{name}.py"
        for name in ("totals", "adjustments", "changes")
    }
    calendar |= {ROOT / "autograder" / "cli" / f"{name}.py" for name in ("calibrate", "release")}
    for path in (ROOT / "autograder").rglob("*.py"):
        if path in calendar:
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\btime\.time\(|\btime_ns\(|datetime\.(now|utcnow)\(", text), path


def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(0)
    monkeypatch.setattr(time, "time", lambda: dice.uniform(-1e9, 4e9))
    job = Job(
        Program("script", "w.py", ("def f(): return 3\ndef g():\n    while True: pass",)),
        {},
        Limits(wall_s=10, check_s=2),
    )
    with Bubblewrap(tmp_path) as sandbox, sandbox.open(job) as box:
        assert box.load().status == "done"
        assert box.probe(ProbeRequest("values:call", {"name": "f"})).data["value"] == 3
        assert box.probe(ProbeRequest("values:call", {"name": "g"})).status == "timeout"
        assert box.probe(ProbeRequest("values:call", {"name": "f"})).data["value"] == 3


def mounts() -> set[str]:
    """Without those of containers, which somebody else may start meanwhile."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return {line for line in lines if "/containers/" not in line}


def control_groups() -> list[Path]:
    """Those of this process's boxes."""
    return list(Path("/sys/fs/cgroup").glob(f"**/five-beats-{os.getpid()}*"))


def test_two_hundred_submissions_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a folder of its own, open to all as /tmp is: other tests use the common one meanwhile
    temporary = Path(tempfile.mkdtemp(prefix="boxes-"))
    temporary.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = set(descendants(os.getpid())), mounts(), len(os.listdir("/proc/self/fd"))
    groups = len(control_groups())
    with Bubblewrap(tmp_path) as sandbox:
        once = None
        for i in range(200):
            text = f"import os\nopen('/tmp/x{i}', 'w').write('x')\nos.fork()\ndef f(): return {i}"
            with sandbox.open(Job(Program("script", "w.py", (text,)), {}, Limits())) as box:
                assert box.load().status == "done"
                answer = box.probe(ProbeRequest("values:call", {"name": "f"}))
            assert (answer.status, answer.data.get("value")) == ("done", i)
            if i == 4:
                time.sleep(0.5)
                once = set_sizes(sandbox), len(control_groups())
        wait_for(lambda: (set_sizes(sandbox), len(control_groups())) == once, 20)
    wait_for(lambda: set(descendants(os.getpid())) <= before[0], 20)
    wait_for(lambda: mounts() <= before[1], 60)  # another test's disk goes when that test ends
    assert len(control_groups()) == groups
    temporary.rmdir()  # only what is empty can be removed
    assert len(os.listdir("/proc/self/fd")) == before[2]


def set_sizes(sandbox: Bubblewrap) -> tuple[int, int, int]:
    """Living processes below us, our descriptors, and those of the template's processes."""
    below = descendants(os.getpid())
    held = 0
    for pid in below:
        with contextlib.suppress(OSError):
            held += len(os.listdir(f"/proc/{pid}/fd"))
    return len(below), len(os.listdir("/proc/self/fd")), held
