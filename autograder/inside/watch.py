"""The clock, the scales and the tape beside one process that runs student code.

`watch` reads what the process sends and prints, and ends it at its first excess: wall
time, memory or processes summed over the box, or output. It trusts no byte that it reads; a
frame is handed on as bytes. Processes that a submission leaves behind are children of this one
(pid 1, or a subreaper), and are reaped here.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from . import wire
from .limits import exceeded

POLL_S = 0.1
FLOOD = 64
"""A process may print this many times the kept output before it is stopped."""


@dataclass
class Ended:
    """How a watched process ended. `cause`: `frame` (it answered), `exit` (it ended without),
    `timeout`, `memory`, `processes`, `output`, `oversize`, or `hangup` (the host went away).
    """

    cause: str
    frame: bytes = b""
    output: str = ""
    status: int | None = None
    detail: str = ""
    usage: dict[str, float] = field(default_factory=dict)


class Reaper:
    """Collects every child that ends, so that a status can be asked for later."""

    def __init__(self) -> None:
        self._ended: dict[int, tuple[int, float]] = {}

    def collect(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            cpu = used.ru_utime + used.ru_stime
            self._ended[pid] = (os.waitstatus_to_exitcode(status), cpu)

    def ended(self, pid: int) -> tuple[int, float] | None:
        """(exit code, or minus the signal; CPU seconds) of a child that has ended."""
        self.collect()
        return self._ended.get(pid)

    def kill(self, pid: int, patience: float = 2.0) -> tuple[int, float] | None:
        """Kill a child, its process group first, and wait for its status."""
        for stop in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                stop(pid, signal.SIGKILL)
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            found = self.ended(pid)
            if found is not None:
                return found
            time.sleep(0.001)
        return None


def used_by(pid: int | str) -> tuple[float, int]:
    """(memory that is the process's own, in MiB: anonymous and shared-memory pages; its threads);
    nothing of one that is gone or only waits to be reaped.
    """
    total, threads = 0, 0
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1])
            elif line.startswith("Threads:"):
                threads = int(line.split()[1])
            elif line.startswith("State:") and line.split()[1] in "ZX":
                return 0.0, 0
    return total / 1024, threads


class Scales:
    """What the processes of a box use, all of them together: those that `members` finds beside
    the watched one.
    """

    def __init__(self, members: Callable[[int], Iterable[int]]) -> None:
        self.members = members
        self.base = used_by("self")[0]

    def weigh(self, pid: int) -> tuple[float, int]:
        """(MiB of memory over what the template had already, processes and threads)."""
        found = [used_by(p) for p in self.members(pid)]
        return sum(max(0.0, mb - self.base) for mb, _ in found), sum(n for _, n in found)

    def tasks(self) -> int:
        """Processes and threads, seen from one of them."""
        return self.weigh(os.getpid())[1]


class _Tape:
    """Keeps the first `keep` bytes printed and counts the rest."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.kept = bytearray()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        self.kept += chunk[: max(0, self.keep - len(self.kept))]
        self.total += len(chunk)

    @property
    def flooded(self) -> bool:
        return self.total > self.keep * FLOOD

    def text(self) -> str:
        dropped = self.total - len(self.kept)
        text = self.kept.decode("utf-8", "replace")
        return text + (f"\n[{dropped} more bytes not kept]\n" if dropped else "")


def _drain(fd: int, tape: _Tape) -> None:
    """What is left in an output pipe after its writer ended, without waiting for more."""
    os.set_blocking(fd, False)
    with contextlib.suppress(BlockingIOError):
        while not tape.flooded and (chunk := os.read(fd, 2**16)):
            tape.add(chunk)


def watch(
    pid: int,
    frames: int,
    output: int,
    host: int,
    wall_s: float,
    limits: dict[str, Any],
    reaper: Reaper,
    scales: Scales,
) -> Ended:
    """Follow `pid` until it answers on `frames`, ends, or exceeds a limit.

    A process that answered is left alive (it may be the loaded program); one that exceeded
    is killed. `host` is only watched for a hang-up.
    """
    start = time.monotonic()
    tape = _Tape(limits["output_kb"] * 1024)
    buffer = bytearray()
    need: int | None = None
    peak = 0.0
    weighed = 0.0
    poll = select.poll()
    poll.register(frames, select.POLLIN)
    poll.register(output, select.POLLIN)
    poll.register(host, getattr(select, "POLLRDHUP", 0) | select.POLLHUP)
    ended: tuple[int, float] | None = None
    verdict: tuple[str, str] | None = None
    while verdict is None:
        left = start + wall_s - time.monotonic()
        if left <= 0:
            verdict = ("timeout", f"it ran longer than the {wall_s:g} s allowed")
            break
        for fd, event in poll.poll(min(POLL_S, left) * 1000):
            if fd == host:
                verdict = ("hangup", "")
            elif fd == output:
                chunk = os.read(output, 2**16) if event & select.POLLIN else b""
                tape.add(chunk)
                if not chunk:
                    poll.unregister(output)
            else:
                chunk = os.read(frames, 2**20) if event & select.POLLIN else b""
                buffer += chunk
                if not chunk:
                    poll.unregister(frames)
        try:
            need = need or wire.expected(buffer, wire.EVIDENCE_CAP)
        except wire.WireError as e:
            verdict = verdict or ("oversize", str(e))
        if need is not None and len(buffer) >= need:
            verdict = verdict or ("frame", "")
        elif tape.flooded:
            printed = limits["output_kb"] * FLOOD // 1024
            verdict = verdict or ("output", f"it printed more than the {printed} MiB allowed")
        elif verdict is None:
            ended = reaper.ended(pid)
            if ended is not None and not _readable(frames):
                verdict = ("exit", "")
        now = time.monotonic()
        if verdict is None and sys.platform == "linux" and now - weighed >= POLL_S:
            weighed = now
            weight, tasks = scales.weigh(pid)
            peak = max(peak, weight)
            if weight > limits["memory_mb"]:
                verdict = ("memory", exceeded(limits)["memory"])
            elif tasks > limits["processes"]:
                verdict = ("processes", exceeded(limits)["processes"])
    cause, detail = verdict
    if cause not in ("frame", "exit"):
        ended = reaper.kill(pid)
    _drain(output, tape)
    wall = time.monotonic() - start
    usage = {
        "wall_s": round(wall, 4),
        "cpu_s": round(ended[1], 4) if ended else 0.0,
        "max_rss_mb": round(peak, 1),
    }
    status = ended[0] if ended else None
    return Ended(cause, bytes(buffer[: need or 0]), tape.text(), status, detail, usage)


def _readable(fd: int) -> bool:
    """Whether bytes still wait in a pipe (as opposed to its end)."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(0))
