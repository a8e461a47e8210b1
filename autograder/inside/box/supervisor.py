"""Pid 1 of a box: takes orders from the host, keeps the clocks, runs no student code itself.

    host  <--socket-->  supervisor  --fork-->  program    the loaded submission; forks probes
                                    --fork-->  fresh      a probe that loads the program itself

A probe of the loaded program is a fork of it, made by the program process and orphaned at
once, so that the supervisor becomes its parent and can time, kill and reap it. Where the
program left threads running (a fork would lose them) the probe gets a process of its own,
in which the program is loaded afresh.

Orders, in this order, one answer each (frames of `wire`): `job` (no answer), `load`, then
any number of `probe`. The supervisor cannot be traced (not dumpable) and, as pid 1, not be
killed by what it watches. Where it cannot start a process at all, it answers `broken` and
ends: that is the grader's fault.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from ..probes import own
from ..probes.recorder import begin
from ..program import Program
from ..recorder.light import install
from . import seal, wire
from .answer import answer, failure, load_report
from .launch import START_S, Body, Child, NotReadyError, become_student, launch
from .limits import Bounds, exceeded, limit
from .monitor import Ended, Reaper, Scales, used_by, watch

ANSWERS = ("done", "error", "memory", "processes", "files", "disk")
"""What an answer may say of itself; how a process ended is for the supervisor to say."""
GONE = {"status": "crash", "detail": "the program's process is gone", "usage": {}}
FORK_S = 10.0
"""How long the loaded program may take to fork a probe; it takes a few milliseconds."""
END_S = 5.0
"""How long the end of what a submission runs is waited for."""
BESIDE_S = 15.0
"""How long a process may take to be ready while others of the submission are there to hinder it."""


class Supervisor:
    """One box's life, from its job to the host's hang-up."""

    def __init__(self, host: socket.socket, wall: seal.Wall) -> None:
        self.host = host
        self.wall = wall
        self.reaper = Reaper()
        self.scales = Scales(wall.members, sure=wall.own_pids)
        self.spent_s = 0.0
        self.waited_s = 0.0
        self.until = 0.0
        self.limits: dict[str, Any] = {}
        self.job: dict[str, Any] = {}
        self.program_pid = 0
        self.control: socket.socket | None = None
        self.begun = False
        self.untaken: dict[str, Any] = {}

    def run(self) -> NoReturn:
        """Serve until the host hangs up, then end (and with pid 1 everything in the box)."""
        code = 70
        # as pid 1, a signal without a handler is ignored when a child sends it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self._serve()
            code = 0
        except NotReadyError as e:
            self._send({"status": "broken", "detail": str(e)})
        except BaseException:
            traceback.print_exc()  # to the template's log: the host reports its last line
        if self.program_pid:
            self.reaper.kill(self.program_pid)  # and so its CPU time is counted upwards
        if not self.wall.own_pids:
            self._end_submission()  # else its pid namespace ends with us
        os._exit(code)

    def _serve(self) -> None:
        while True:
            got = wire.read(self.host.fileno(), wire.REQUEST_CAP)
            if got is None:
                return
            order, blob = got
            if order["op"] == "job":
                self._take(order, blob)
            elif order["op"] == "load":
                self._send(*self._timed(self._load))
            elif order["op"] == "probe":
                self._send(*self._timed(functools.partial(self._probe, order, blob)))

    def _timed(
        self, run: Callable[[], tuple[dict[str, Any], bytes]]
    ) -> tuple[dict[str, Any], bytes]:
        """One answer, on the whole submission's clock; nothing is run once that has run out."""
        start = time.monotonic()
        self.until = start + self.limits["budget_s"] - self.spent_s
        over = ""
        if self.until <= start:
            over = exceeded(self.limits)["whole"]
        elif self.begun and self.scales.weigh(0).cpu_s > self.limits["budget_cpu_s"]:
            over = exceeded(self.limits)["whole_cpu"]
        if over:
            self._end_submission()
            return {"status": "timeout", "detail": over, "usage": {}}, b""
        self.waited_s = 0.0
        answered = run()
        self.spent_s += time.monotonic() - start - self.waited_s
        return answered

    def _send(self, header: dict[str, Any], blob: bytes = b"") -> None:
        wire.write(self.host.fileno(), wire.pack(header, blob))

    def _take(self, order: dict[str, Any], blob: bytes) -> None:
        """Lay out the submission's files in the working folder, as far as they fit there."""
        self.job, self.limits = order["program"], order["limits"]
        own.TEXT.keep(order["probes"])
        at = 0
        for name, size in order["files"]:
            path = os.path.join(os.getcwd(), name)
            try:
                self._make_folders(os.path.dirname(name))
                with open(path, "wb") as f:
                    f.write(blob[at : at + size])
                self._give(path)
            except OSError as e:  # too much for its disk, or a name that cannot be
                full = e.errno == errno.ENOSPC and self.wall.own_pids
                why = exceeded(self.limits)["disk"] if full else e.strerror
                said = f"its file {name[:100]!r} cannot be laid out: {why}"
                self.untaken = {"status": "disk" if full else "crash", "detail": said, "usage": {}}
                return
            at += size

    def _make_folders(self, name: str) -> None:
        """Make a folder below the working folder and all above it; the student may write there."""
        for end in (i for i, c in enumerate(name + "/") if c == "/"):
            path = os.path.join(os.getcwd(), name[:end])
            if name[:end] and not os.path.isdir(path):
                os.mkdir(path)
                self._give(path)

    def _give(self, path: str) -> None:
        """Make a path the student's own, where the student's processes are another user's."""
        if self.wall.uid is not None:
            os.chown(path, self.wall.uid, self.wall.uid)

    def _program(self) -> Program:
        return Program(self.job["kind"], self.job["main"], list(self.job["cells"]))

    @property
    def bounds(self) -> Bounds:
        """What the submission's processes may use, for them to trace an excess by."""
        places = (os.getcwd(), "/tmp", "/dev/shm")  # noqa: S108 - the box's own
        return Bounds(self.limits, self.scales.tasks, places if self.wall.own_pids else ())

    def _confine(self) -> None:
        if sys.platform == "linux":
            limit(self.limits, counted=self.wall.counted, gpu=bool(self.job["gpu"]))
            self.wall.enter()
            seal.dumpable(yes=True)

    def _launch(self, prepare: Callable[[], Body], keep: tuple[int, ...] = ()) -> Child:
        """Start a process of the submission. Raises `NotReadyError` where that is our fault.

        What the submission left running could keep another process from starting, by a signal or
        by using something up. So where one does not start, all of that is ended, and only a
        process that does not start alone either is our fault.
        """
        try:
            patience_s = BESIDE_S if self.begun else START_S
            child = launch(self._confine, prepare, keep, patience_s)
        except OSError as e:
            if not self.begun:
                raise NotReadyError(str(e)) from e
            self._end_submission()
            try:
                child = launch(self._confine, prepare, keep)
            except OSError as again:
                raise NotReadyError(str(again)) from again
        self.begun = True
        return child

    def _end_submission(self) -> None:
        """Kill all that the submission runs, its loaded program too, which later probes will load
        afresh.
        """
        if self.control is not None:
            self.control.close()
        if self.program_pid:
            self.reaper.kill(self.program_pid)
        self.program_pid, self.control = 0, None
        end = time.monotonic() + END_S
        while not self.wall.end() and time.monotonic() < end:
            self.reaper.collect()
            time.sleep(0.002)

    def _watch(self, child: Child, wall_s: float) -> Ended:
        try:
            ended = watch(
                child.pid,
                child.frames,
                child.output,
                self.host.fileno(),
                wall_s,
                self.until,
                self.limits,
                self.reaper,
                self.scales,
            )
        finally:
            os.close(child.frames)
            os.close(child.output)
        if ended.cause == "hangup":
            os._exit(0)
        self.waited_s += ended.usage["waited_s"]
        return ended

    def _load(self) -> tuple[dict[str, Any], bytes]:
        """Run the program, and keep its process to fork probes from."""
        if self.untaken:
            return self.untaken, b""
        ours, theirs = socket.socketpair()

        def prepare() -> Body:
            program, bounds = self._program(), self.bounds
            recorder = install(program)
            end = begin(program)

            def body(frames: int) -> None:
                program.load()
                trained = end()
                own = {"recorder": recorder.report(), "trained": trained}
                program.report = {**program.report, **own}
                _flush()
                wire.write(frames, wire.pack(load_report(program, bounds)))
                os.close(frames)
                _serve_forks(program, theirs, bounds)

            return body

        child = self._launch(prepare, keep=(theirs.fileno(),))
        theirs.close()
        ended = self._watch(child, self.limits["wall_s"])
        header = self._header(ended)
        header["output"] = ended.output
        said = _said(ended.frame) if ended.cause == "frame" else None
        if ended.cause == "frame" and said is None:
            self.reaper.kill(child.pid)
            header.update(status="crash", detail="its report was forged: it is no plain data")
            ours.close()
        elif said is not None:
            header["load"] = said[0]
            header["usage"]["cpu_s"] = said[0].get("cpu_s", 0.0)
            header["detail"] = said[0].get("limit", "")
            self.program_pid, self.control = child.pid, ours
            if header["load"].get("threads"):
                self.reaper.kill(child.pid)
                self.control = None
        else:
            ours.close()
        return header, b""

    def _probe(self, order: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        """Run one probe; if it used too much of the box, end what it left, which counts on."""
        header, tensors = self._ask(order, blob)
        if header["status"] in ("memory", "processes"):
            left = self.scales.weigh(0).tasks
            if left > used_by(self.program_pid).tasks:
                self._end_submission()
        return header, tensors

    def _ask(self, order: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        wall_s = float(order["check_s"])
        child: Child | None
        if order["start"] == "fresh":
            child = self._launch(lambda: self._fresh(order, blob))
        elif self.control is not None:
            child = self._fork_loaded(order, blob)
            if child is None:
                crowded = self.scales.weigh(0).tasks > self.limits["processes"]
                said = {"status": "processes", "detail": exceeded(self.limits)["processes"]}
                return {**GONE, **(said if crowded else {})}, b""
        else:
            wall_s += self.limits["wall_s"]
            child = self._launch(lambda: self._fresh(order, blob, load=True))
        ended = self._watch(child, wall_s)
        if ended.status is None:
            died = self.reaper.kill(child.pid)
            ended.usage["cpu_s"] = round(died[1], 4) if died else 0.0
        header = self._header(ended)
        if ended.cause != "frame":
            return header, b""
        answered = _said(ended.frame)
        if answered is None or answered[0].get("status") not in ANSWERS:
            forged = "its answer was forged: it is no plain data, or no answer"
            return {**header, "status": "crash", "detail": forged}, b""
        return {**answered[0], "usage": header["usage"]}, answered[1]

    def _fresh(self, order: dict[str, Any], blob: bytes, *, load: bool = False) -> Body:
        """A process of its own that answers `order`, by a probe that loads the program or, with
        `load`, after having loaded it.
        """
        program, bounds = self._program(), self.bounds

        def body(frames: int) -> None:
            if load:
                program.load()
            _answer(program, order, blob, frames, bounds)

        return body

    def _fork_loaded(self, order: dict[str, Any], blob: bytes) -> Child | None:
        """Ask the loaded program's process for a fork that answers `order`."""
        assert self.control is not None
        frames_out, frames_in = os.pipe()
        output_out, output_in = os.pipe()
        self.wall.give(output_in)
        pid = 0
        end = time.monotonic() + FORK_S
        try:
            self.control.settimeout(FORK_S)
            socket.send_fds(self.control, [b"f"], [frames_in, output_in])
            self.control.sendall(wire.pack(order, blob))
            self.control.settimeout(max(0.001, end - time.monotonic()))
            pid = int(self.control.recv(16) or b"0")
        except (OSError, ValueError):
            pid = 0
        os.close(frames_in)
        os.close(output_in)
        if pid <= 1 or not self.wall.holds(pid):  # whoever answered may have lied
            os.close(frames_out)
            os.close(output_out)
            self.reaper.kill(self.program_pid)  # the next order need not wait for it again
            self.control.close()
            return None
        return Child(pid, frames_out, output_out)

    def _header(self, ended: Ended) -> dict[str, Any]:
        """Status and reason of a process, in the words of `Evidence`."""
        status, detail = ended.cause, ended.detail
        if status == "frame":
            status = "done"
        elif status == "oversize":
            status = "output"
        elif status == "exit":
            code = ended.status or 0
            status, detail = "crash", f"exit code {code} before it was done"
            if ended.status is None:
                detail = "it ended before it was done"
            said = exceeded(self.limits)
            spent = code == -signal.SIGKILL and ended.usage["cpu_s"] >= self.limits["cpu_s"]
            if code == -signal.SIGXCPU or spent:  # the second, where the first was ignored
                status, detail = "timeout", said["cpu"]
            elif code == -signal.SIGXFSZ:  # Python ignores it; a subprocess may not
                status, detail = "files", said["file"]
            elif code < 0:
                detail = f"signal {-code}"
            elif code == 70 and ended.output.strip():
                detail = ended.output.strip().splitlines()[-1][:500]
        return {"status": status, "detail": detail, "usage": ended.usage}


def _said(frame: bytes) -> tuple[dict[str, Any], bytes] | None:
    """A frame that student code may have forged, if it can be handed on as it is; else None."""
    try:
        header, blob = wire.unpack(frame)
        whole = len(wire.pack(header)) <= wire.HEADER_CAP
    except (wire.WireError, ValueError, RecursionError):
        return None
    return (header, blob) if whole else None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the student may have closed or replaced it
            stream.flush()


def _answer(
    program: Program, order: dict[str, Any], blob: bytes, frames: int, bounds: Bounds
) -> None:
    header, tensors = answer(program, order, blob, bounds)
    _flush()
    try:
        frame = wire.pack(header, tensors)
    except ValueError as e:  # NaN or an object where plain data belongs
        frame = wire.pack(failure(e, program, bounds))
    wire.write(frames, frame)


def _serve_forks(program: Program, control: socket.socket, bounds: Bounds) -> None:
    """The loaded program's process: one orphaned fork per order, until the supervisor is gone."""
    while True:
        _, fds, _, _ = socket.recv_fds(control, 1, 2)
        if len(fds) < 2:
            os._exit(0)
        frames, output = fds
        got = wire.read(control.fileno(), wire.REQUEST_CAP)
        if got is None:
            os._exit(0)
        order, blob = got
        middle = os.fork()
        if middle == 0:
            probe = os.fork()
            if probe:
                control.send(str(probe).encode())
                os._exit(0)
            code = 70
            try:
                become_student((frames,), output)  # the limits are inherited
                _answer(program, order, blob, frames, bounds)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.waitpid(middle, 0)
        os.close(frames)
        os.close(output)
