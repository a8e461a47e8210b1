"""Every attack of `harm.py`: it ends within its clock, leaves nothing, and harms no neighbour."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.model import Evidence, Job, Limits, ProbeRequest, Program
from autograder.sandbox import Sandbox, choose
from tests.attacks.backends import BACKENDS, ENGINE
from tests.attacks.harm import HARM, Harm

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(wall_s=6, check_s=3, cpu_s=10, memory_mb=500, processes=48, file_mb=8, output_kb=64)
HONEST = """
import os, torch
def f():
    torch.manual_seed(3)
    left = [p + '/' + n for p in ('/tmp', '/dev/shm', '.') for n in os.listdir(p)]
    return [torch.arange(6.0).reshape(2, 3).sum(0).tolist(), torch.rand(2).tolist(), left]
"""
CLOCK_S = LIMITS.wall_s + 2 * LIMITS.check_s + 30
"""An attack's own clocks, and what a busy machine may take beside them."""


@pytest.fixture(scope="module", params=BACKENDS)
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    if request.param == ENGINE:
        request.getfixturevalue("engine_image")
    shelf = tmp_path_factory.mktemp("shelf")
    shelf.chmod(0o755)
    made = choose(request.param, shelf, (ROOT,))
    yield made
    made.close()


def honest(sandbox: Sandbox) -> Evidence:
    with sandbox.open(Job(Program("script", "w.py", (HONEST,)), {}, LIMITS)) as box:
        assert box.load().status == "done"
        return box.probe(ProbeRequest("values:call", {"name": "f"}))


@pytest.fixture(scope="module")
def alone(sandbox: Sandbox) -> Evidence:
    """What honest work answers where nobody has attacked."""
    return honest(sandbox)


def marked(mark: str) -> list[str]:
    """Living processes of the machine that carry the mark: a fork keeps its parent's name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            place = Path("/proc", pid)
            line = place.joinpath("cmdline").read_bytes().decode("utf-8", "replace")
            line += place.joinpath("comm").read_text(errors="replace")
            if mark in line and place.joinpath("stat").read_text().rpartition(")")[2][1] != "Z":
                found.append(f"{pid}: {line}")
    return found


def descendants() -> set[int]:
    """Processes that come from this one, at any distance, and still run."""
    parents: dict[int, int] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            state, parent = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":  # a template collects ended boxes when it makes the next
                parents[int(pid)] = int(parent)
    found = {os.getpid()}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.mark.parametrize("attack", HARM, ids=lambda a: a.name)
def test_it_harms_nobody(sandbox: Sandbox, alone: Evidence, attack: Harm) -> None:
    mark = str(3_000_000 + zlib.crc32(attack.name.encode()) % 999_983)
    before = descendants()
    name = f"import ctypes\nctypes.CDLL(None).prctl(15, b'{mark}')\n"  # its processes' name
    code = name + attack.code.replace("{mark}", mark)
    start = time.monotonic()
    with sandbox.open(Job(Program("script", "w.py", (code,)), {}, LIMITS)) as box:
        load = box.load()
        answer = box.probe(ProbeRequest("values:call", {"name": "f"}))
    assert time.monotonic() - start < CLOCK_S, attack.harm
    assert len(load.output) < 2 * 64 * 1024
    assert answer.status != "done", "no attack defines an honest f"
    after = honest(sandbox)
    assert (after.status, after.data, after.error) == (alone.status, alone.data, None), attack.harm
    # a pool of containers starts new ones meanwhile, so there only the attack's own are looked for
    allowed = before if sandbox.name == "bubblewrap" else None
    assert gone(sandbox, allowed, mark), f"it outlived its box: {marked(mark)}"


def waiting(sandbox: Sandbox) -> set[int]:
    """The process that was made ahead for the next box, alone in a group of its own."""
    group = getattr(sandbox, "_ahead", None)
    if group is None:
        return set()
    listed = (group.folders["pids"] / "cgroup.procs").read_text().split()
    assert len(listed) <= 1, "somebody else is in the group of the next box"
    return set(map(int, listed))


def gone(sandbox: Sandbox, before: set[int] | None, mark: str) -> bool:
    """Whether the box's processes end, which may take a moment after the host has hung up."""
    for _ in range(100):
        if not marked(mark) and (before is None or descendants() - waiting(sandbox) <= before):
            return True
        time.sleep(0.1)
    return False
