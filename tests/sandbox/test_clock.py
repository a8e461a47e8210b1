"""The clock of a run: what it waits for a processor is not its own doing, what it sleeps is."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from autograder.inside.box import monitor
from autograder.inside.box.monitor import Clock, Reaper, Scales, queued
from autograder.model import Limits


def test_waiting_for_a_processor_stops_it() -> None:
    clock = Clock(start=100.0, wall_s=10.0, until=1000.0, stretch=3.0)
    assert clock.left(104.0) == 6.0
    clock.wait(3.0)
    assert clock.left(104.0) == 9.0 and clock.left(113.0) == 0.0
    clock.wait(1.0)
    assert clock.left(113.0) == 0.0, "what was waited is not taken back"
    clock.wait(99.0)
    assert clock.left(130.0) == 0.0, "and lasts no longer than three times the limit"
    assert clock.is_own


def test_the_whole_submissions_clock_waits_with_it() -> None:
    clock = Clock(start=100.0, wall_s=10.0, until=105.0, stretch=3.0)
    clock.wait(2.0)
    assert clock.left(107.0) == 0.0 and not clock.is_own


def watched(code: str, monkeypatch: pytest.MonkeyPatch, wait_each: float) -> monitor.Ended:
    """A program under watch with a limit of 10 s, on a clock of our own that goes a second at each
    look, while the kernel says that of each second it waited `wait_each`.
    """
    now = [0.0]
    looks = [0]

    def monotonic() -> float:
        now[0] += 1.0
        return now[0]

    def waited(pid: int) -> float:
        looks[0] += 1
        return wait_each * now[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    monkeypatch.setattr(monitor, "queued", waited)
    frames, frames_in = os.pipe()
    output, output_in = os.pipe()
    host, host_in = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", code],
        {},
        file_actions=[(os.POSIX_SPAWN_DUP2, output_in, 1)],
        setsid=True,
    )
    os.close(output_in)
    limits = {**Limits(wall_s=10).__dict__, "budget_s": 1e9, "budget_cpu_s": 1e9, "stretch": 3.0}
    try:
        scales = Scales(lambda p: [p])
        return monitor.watch(pid, frames, output, host, 10.0, 1e9, limits, Reaper(), scales)
    finally:
        for fd in (frames, frames_in, output, host, host_in):
            os.close(fd)


IDLES = "import time; time.sleep(600)"


def test_a_program_that_idles_has_no_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = watched(IDLES, monkeypatch, 0.0)
    assert ended.cause == "timeout" and ended.detail == "it ran longer than the 10 s allowed"
    assert ended.usage["waited_s"] == 0.0 and ended.usage["wall_s"] < 25


def test_on_a_busy_machine_the_same_limit_lasts_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = watched(IDLES, monkeypatch, 0.5)
    assert ended.cause == "timeout"
    assert ended.usage["waited_s"] == pytest.approx(10.0, abs=4.0)
    ended = watched(IDLES, monkeypatch, 0.99)
    assert ended.usage["waited_s"] == 20.0, "three times as long, and no more"


@pytest.mark.skipif(not queued(os.getpid()), reason="this kernel counts no waiting")
def test_the_kernel_tells_who_had_to_wait() -> None:
    """Two programs that compute on one processor: each waits while the other runs."""
    first = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{first}])\nwhile True: pass"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    try:
        while any(queued(p.pid) < 0.2 for p in both):
            assert all(p.poll() is None for p in both)
            time.sleep(0.01)
    finally:
        for p in both:
            p.kill()
            p.wait()
    assert queued(both[0].pid) == 0.0, "of a process that is gone nothing is told"
