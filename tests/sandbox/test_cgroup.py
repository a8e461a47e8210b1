"""Control groups: every process of a box is in its own, a kill there is theirs, none stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.model import Job, Limits, ProbeRequest, Program
from autograder.sandbox import Bubblewrap, cgroup

LIMITS = Limits(wall_s=20, check_s=10, memory_mb=600, processes=24, file_mb=4)
CALL = ProbeRequest("values:call", {"name": "f"})
WORDS = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    2: ("memory.max", "memory.current"),
}


def job(text: str) -> Job:
    return Job(Program("script", "w.py", (text,)), {}, LIMITS)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Bubblewrap]:
    groups = cgroup.available()
    if groups is None:
        pytest.skip("no control group can be made here; `autograder doctor` says so")
    groups.close()
    tmp_path.chmod(0o755)
    with Bubblewrap(tmp_path) as made:
        yield made
    assert left() == []


def left() -> list[str]:
    """What is left of this process's groups."""
    found = subprocess.run(
        ["find", "/sys/fs/cgroup", "-path", f"*/{cgroup.NAME}{os.getpid()}*"],
        capture_output=True,
        text=True,
        check=False,  # a group of somebody else may go away meanwhile
    )
    return found.stdout.splitlines()


def processes(group: cgroup.Group) -> set[int]:
    """How many processes each of its folders holds."""
    texts = [(f / "cgroup.procs").read_text() for f in group.folders.values()]
    return {len(text.split()) for text in texts}


@pytest.mark.sandbox
@pytest.mark.root
def test_every_process_of_a_box_is_in_its_group(sandbox: Bubblewrap) -> None:
    text = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"
    with sandbox.open(job(text)) as box:
        assert box.load().status == "done"
        group = box._group
        assert group is not None
        # the one that waits, the supervisor, the program, its child
        assert processes(group) == {4}
        assert int((group.folders["pids"] / "pids.max").read_text()) == 24 + cgroup.SPARE
    sandbox.close()
    assert left() == []


def ahead(sandbox: Bubblewrap) -> tuple[cgroup.Group, int]:
    """The group of the next box, and the process that waits in it."""
    group = sandbox._ahead
    assert group is not None
    listed = next(iter(group.folders.values())) / "cgroup.procs"
    end = time.monotonic() + 20
    while not listed.read_text():
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.01)
    return group, int(listed.read_text().split()[0])


@pytest.mark.sandbox
@pytest.mark.root
def test_the_process_of_the_next_box_waits_in_its_group(sandbox: Bubblewrap) -> None:
    with sandbox.open(job("x = 1")) as box:
        assert box.load().status == "done"
    group, pid = ahead(sandbox)
    tight = replace(job("def f(): return 3"), limits=replace(LIMITS, processes=9))
    with sandbox.open(tight) as box, sandbox.open(job("def f(): return 4")) as beside:
        assert box._group is group and beside._group is not group
        assert box.load().status == beside.load().status == "done"
        assert [b.probe(CALL).data["value"] for b in (box, beside)] == [3, 4]
        members = (group.folders["pids"] / "cgroup.procs").read_text().split()
        assert str(pid) in members and len(members) > 1
        most = (group.folders["pids"] / "pids.max").read_text()
        assert int(most) == 9 + cgroup.SPARE, "a waiting process has the limits of its job"


@pytest.mark.sandbox
@pytest.mark.root
def test_a_waiting_process_that_dies_costs_nobody_a_grade(sandbox: Bubblewrap) -> None:
    with sandbox.open(job("x = 1")) as box:
        assert box.load().status == "done"
    group, pid = ahead(sandbox)
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end, "it was never reaped"
        time.sleep(0.01)
    with sandbox.open(job("x = 1")) as box:
        assert box.load().status == "done"
        assert box._group is group and processes(group) != {0}, "the next is in its groups too"


@pytest.mark.sandbox
@pytest.mark.root
@pytest.mark.parametrize("room_mb", [120, 1])
def test_a_kill_for_want_of_memory_is_the_submissions(sandbox: Bubblewrap, room_mb: int) -> None:
    """Also where it hit the supervisor, and with it the whole box."""
    text = "def f():\n    kept = bytearray(b'x') * (400 << 20)\n    return 1"
    with sandbox.open(job(text)) as box:
        assert box.load().status == "done"
        group = box._group
        assert group is not None
        limit, usage = WORDS[group.version]
        used = int((group.folders["memory"] / usage).read_text())
        (group.folders["memory"] / limit).write_text(str(used + (room_mb << 20)))
        found = [box.probe(CALL) for _ in range(2)]
    said = "it used more than the 600 MiB of memory allowed"
    assert [(e.status, e.detail) for e in found] == [("memory", said)] * 2


@pytest.mark.sandbox
@pytest.mark.root
def test_a_box_that_dies_without_such_a_kill_is_our_fault(sandbox: Bubblewrap) -> None:
    with sandbox.open(job("def f(): return 1")) as box:
        assert box.load().status == "done"
        assert box._group is not None
        box._group.kill()
        with pytest.raises(SandboxError):
            box.probe(CALL)


@pytest.mark.sandbox
@pytest.mark.root
def test_what_a_killed_grader_left_is_swept(sandbox: Bubblewrap) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    places = [c.place / f"{cgroup.NAME}{dead.pid}" for c in cgroup._first_version()]
    for place in places:
        (place / "1").mkdir(parents=True)
    groups = cgroup.available()
    assert groups is not None
    groups.close()
    assert not any(place.exists() for place in places)


def test_version_two_is_found_beside_or_in_our_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, mounts = tmp_path / "ours", tmp_path / "mounts"
    root = tmp_path / "cgroup"
    (root / "app" / "run").mkdir(parents=True)
    mounts.write_text(f"30 24 0:26 / {root} rw - cgroup2 cgroup2 rw,nsdelegate\n")
    ours.write_text("0::/app/run\n")
    monkeypatch.setattr(cgroup, "_MOUNTS", mounts)
    monkeypatch.setattr(cgroup, "_OURS", ours)
    handed = root / "app" / "cgroup.subtree_control"
    handed.write_text("cpu pids\n")
    assert list(cgroup._second_version()) == []
    handed.write_text("cpu memory pids\n")
    (found,) = cgroup._second_version()
    assert [(c.name, c.place, c.version) for c in found] == [
        ("memory", root / "app", 2),
        ("pids", root / "app", 2),
    ]
    ours.write_text("0::/\n")  # a container sees its own group as the root
    (root / "cgroup.subtree_control").write_text("memory pids\n")
    (found,) = cgroup._second_version()
    assert {c.place for c in found} == {root}


def test_a_group_of_version_two_speaks_its_words(tmp_path: Path) -> None:
    group = cgroup.Group({"memory": tmp_path, "pids": tmp_path}, 2)
    for name in ("memory.max", "memory.swap.max", "pids.max"):
        (tmp_path / name).write_text("max")
    group.limit(LIMITS)
    assert (tmp_path / "memory.max").read_text() == str((600 + 3 * 16 + 256) << 20)
    assert (tmp_path / "memory.swap.max").read_text() == "0"
    assert (group.killed(), group.refused()) == (0, 0)
    (tmp_path / "memory.events").write_text("oom 3\noom_kill 2\n")
    (tmp_path / "pids.events").write_text("max 7\n")
    assert (group.killed(), group.refused()) == (2, 7)


def test_where_none_can_be_made_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "_MOUNTS", Path("/nonexistent"))
    assert cgroup.available() is None
