"""The clock, the scales and the tape beside one process that runs student code.

`watch` reads what the process sends and prints, and ends it at its first excess: wall
time, memory or processes summed over the box, or output. It trusts no byte that it reads; a
frame is handed on as bytes. Processes that a submission leaves behind are children of this one
(pid 1, or a subreaper), and are reaped here.
"""

from __future__ import annotations

import contextlib
import os
import resource
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
AT_ONCE, REMEMBERED = 1_000, 10_000
"""Ended processes that are collected before the clock is looked at again, and remembered."""
PF_FORKNOEXEC = 0x40
"""A process's flag in the kernel: forked, and no `exec` since (include/linux/sched.h)."""
TICKS = os.sysconf("SC_CLK_TCK")


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
    """Collects every child that ends, so that a status can be asked for later.

    A submission may end processes faster than they can be collected: what one call does, and what
    is remembered, has a bound.
    """

    def __init__(self) -> None:
        self._ended: dict[int, tuple[int, float]] = {}

    def collect(self) -> None:
        for _ in range(AT_ONCE):
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            cpu = used.ru_utime + used.ru_stime
            self._ended.pop(pid, None)
            self._ended[pid] = (os.waitstatus_to_exitcode(status), cpu)
            if len(self._ended) > REMEMBERED:
                del self._ended[next(iter(self._ended))]

    def ended(self, pid: int) -> tuple[int, float] | None:
        """(exit code, or minus the signal; CPU seconds) of a child that has ended."""
        self.collect()
        return self._ended.get(pid)

    def lost(self, pid: int) -> bool:
        """Whether `pid` has ended as somebody else's child, so that its status cannot be known."""
        return not alive(pid) and self.ended(pid) is None

    def kill(self, pid: int, patience: float = 2.0) -> tuple[int, float] | None:
        """Kill a child, its process group first, and wait for its status."""
        for stop in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                stop(pid, signal.SIGKILL)
        limit = time.monotonic() + patience
        while time.monotonic() < limit and not self.lost(pid):
            found = self.ended(pid)
            if found is not None:
                return found
            time.sleep(0.001)
        return None


@dataclass(frozen=True)
class Use:
    """What one process uses: MiB of memory that is its own (anonymous and shared-memory pages), its
    threads, CPU seconds of its own and of the children that it has waited for. `image` is where
    its stack begins: the same in a process and its forks, another one after `exec`, 0 where that
    may not be seen. `forked`: it has not called `exec` itself.
    """

    mb: float = 0.0
    tasks: int = 0
    cpu_s: float = 0.0
    waited_s: float = 0.0
    image: int = 0
    forked: bool = False


def _fields(pid: int | str) -> list[bytes]:
    """The fields of /proc/<pid>/stat from the third one, `state`, on (proc(5)); none of one that is
    gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether a process runs: it is there, and does not only wait to be reaped."""
    if sys.platform != "linux":
        return True  # its parent is told
    fields = _fields(pid)
    return bool(fields) and fields[0] not in (b"Z", b"X")


def queued(pid: int) -> float:
    """Seconds for which a process was ready and no processor was free, as the kernel counts them:
    the second field of /proc/<pid>/schedstat, in nanoseconds (the kernel's
    Documentation/scheduler/sched-stats). Zero where it does not say.
    """
    try:
        with open(f"/proc/{pid}/schedstat", "rb") as f:
            return int(f.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


@dataclass
class Clock:
    """The clock of one run: wall time, but for the time in which it was ready to run and had to
    wait for a processor, which is not its own doing. What it sleeps counts, so a hang is a hang;
    and it never lasts longer than `stretch` times `wall_s`. `until` is the end of the whole
    submission's.
    """

    start: float
    wall_s: float
    until: float
    stretch: float
    waited: float = 0.0

    def wait(self, queued_s: float) -> None:
        """Note for how long the run has waited by now."""
        self.waited = max(self.waited, min(queued_s, (self.stretch - 1) * self.wall_s))

    def left(self, now: float) -> float:
        """Seconds that are left of it at `now`."""
        return min(self.start + self.wall_s, self.until) + self.waited - now

    @property
    def is_own(self) -> bool:
        """Whether the run's own clock ends before the whole submission's."""
        return self.start + self.wall_s <= self.until


def used_by(pid: int | str) -> Use:
    """What a process uses; of one that is gone, nothing, and no memory of one that has ended."""
    fields = _fields(pid)
    if not fields:
        return Use()
    own, waited = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    cpu_s, waited_s = own / TICKS, waited / TICKS
    if fields[0] in (b"Z", b"X"):
        return Use(cpu_s=cpu_s, waited_s=waited_s)
    total, threads = 0, 0
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1])
            elif line.startswith("Threads:"):
                threads = int(line.split()[1])
    forked = bool(int(fields[6]) & PF_FORKNOEXEC)
    return Use(total / 1024, threads, cpu_s, waited_s, int(fields[25]), forked)


class Scales:
    """What the processes of a box use, all of them together: those that `members` finds beside
    the watched one.

    A fork shares the template's pages, so these are taken off what it uses, as long as it has not
    called `exec`: only then are they still there. `sure`: where its stack begins can be seen of
    every process that a program has not hidden on purpose, so whoever hides it is given nothing.
    """

    def __init__(self, members: Callable[[int], Iterable[int]], *, sure: bool = True) -> None:
        self.members = members
        self.sure = sure
        self.template = used_by("self")
        self._spent: dict[int, float] = {}
        self._gone_s = 0.0

    def weigh(self, pid: int) -> Use:
        """MiB of memory over what the template had already, processes and threads, and the CPU
        seconds that the box has used since its beginning.

        Of one that ended unseen between two looks and was not waited for, the CPU time is lost.
        """
        found = {p: used_by(p) for p in self.members(pid)}
        for p in [p for p, s in self._spent.items() if p not in found or found[p].cpu_s < s]:
            self._gone_s += self._spent.pop(p)  # it has ended, and its number may be another's now
        self._spent.update((p, u.cpu_s) for p, u in found.items())
        seen_s = self._gone_s + sum(self._spent.values())
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        told_s = children.ru_utime + children.ru_stime
        told_s += sum(u.cpu_s + u.waited_s for u in found.values())
        return Use(
            sum(max(0.0, u.mb - self._shared(u)) for u in found.values()),
            sum(u.tasks for u in found.values()),
            max(seen_s, told_s),
        )

    def _shared(self, use: Use) -> float:
        """MiB of the template's that a process still has."""
        hidden = use.forked and not self.sure
        same = use.image == self.template.image if use.image else hidden
        return self.template.mb if same else 0.0

    def tasks(self) -> int:
        """Processes and threads, seen from one of them."""
        return self.weigh(os.getpid()).tasks


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
    with contextlib.suppress(BlockingIOError):
        while not tape.flooded and (chunk := os.read(fd, 2**16)):
            tape.add(chunk)


def watch(
    pid: int,
    frames: int,
    output: int,
    host: int,
    wall_s: float,
    until: float,
    limits: dict[str, Any],
    reaper: Reaper,
    scales: Scales,
) -> Ended:
    """Follow `pid` until it answers on `frames`, ends, or exceeds a limit.

    A process that answered is left alive (it may be the loaded program); one that exceeded
    is killed. `wall_s` is its own clock's time (`Clock`), `until` the end of the whole
    submission's, as `time.monotonic` tells it. `host` is only watched for a hang-up. No read waits
    for bytes that were announced: whoever opens a pipe anew below /proc/self/fd can take them away.
    """
    clock = Clock(time.monotonic(), wall_s, until, limits["stretch"])
    queued_before = queued(pid)
    os.set_blocking(frames, False)
    os.set_blocking(output, False)
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
        clock.wait(queued(pid) - queued_before)
        left = clock.left(time.monotonic())
        if left <= 0:
            own = f"it ran longer than the {wall_s:g} s allowed"
            verdict = ("timeout", own if clock.is_own else exceeded(limits)["whole"])
            break
        for fd, _ in poll.poll(min(POLL_S, left) * 1000):
            if fd == host:
                verdict = ("hangup", "")
            elif fd == output:
                tape.add(_taken(output, 2**16, poll))
            else:
                buffer += _taken(frames, 2**20, poll)
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
            used = scales.weigh(pid)
            peak = max(peak, used.mb)
            if used.mb > limits["memory_mb"]:
                verdict = ("memory", exceeded(limits)["memory"])
            elif used.tasks > limits["processes"]:
                verdict = ("processes", exceeded(limits)["processes"])
            elif used.cpu_s > limits["budget_cpu_s"]:
                verdict = ("timeout", exceeded(limits)["whole_cpu"])
            elif reaper.lost(pid) and not _readable(frames):
                verdict = ("exit", "")
    cause, detail = verdict
    if cause not in ("frame", "exit"):
        ended = reaper.kill(pid)
    _drain(output, tape)
    wall = time.monotonic() - clock.start
    usage = {
        "wall_s": round(wall, 4),
        "cpu_s": round(ended[1], 4) if ended else 0.0,
        "max_rss_mb": round(peak, 1),
        "waited_s": round(clock.waited, 4),
    }
    status = ended[0] if ended else None
    return Ended(cause, bytes(buffer[: need or 0]), tape.text(), status, detail, usage)


def _taken(fd: int, most: int, poll: select.poll) -> bytes:
    """What can be read from a pipe now; at its end it is looked at no more."""
    try:
        chunk = os.read(fd, most)
    except BlockingIOError:
        return b""
    if not chunk:
        poll.unregister(fd)
    return chunk


def _readable(fd: int) -> bool:
    """Whether bytes still wait in a pipe (as opposed to its end)."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(0))
