"""Pid 1 of a box: takes orders from the host, keeps the clocks, runs no student code itself.

    host  <--socket-->  supervisor  --fork-->  program    the loaded submission; forks probes
                                    --fork-->  fresh      a probe that loads the program itself

A probe of the loaded program is a fork of it, made by the program process and orphaned at
once, so that the supervisor becomes its parent and can time, kill and reap it. Where the
program left threads running (a fork would lose them) the probe gets a process of its own,
in which the program is loaded afresh.

Orders, in this order, one answer each (frames of `wire`): `job` (no answer), `load`, then
any number of `probe`. The supervisor cannot be traced (not dumpable) and, as pid 1, not be
killed by what it watches.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch

from . import seal, wire
from .answer import answer, failure
from .program import Program
from .recorder import install
from .watch import Ended, Reaper, Scales, watch

SEED = 20_250
"""Every process starts from this seed, so that a program that never seeds is repeatable."""
NAMES_CAP, ERRORS_CAP = 2_000, 50
ANSWERS = ("done", "error", "memory")
"""What an answer may say of itself; how a process ended is for the supervisor to say."""


def _become_student(keep: tuple[int, ...], output: int) -> None:
    """In a freshly forked process: own group, no inherited descriptors but `keep`, own seed."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    kept = sorted({0, 1, 2, *keep})
    for low, high in zip(kept, [*kept[1:], 4096], strict=True):
        os.closerange(low + 1, high)
    # ruff: noqa: SIM115 - the process's own streams live as long as it does
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - the stream that student code draws from
    torch.manual_seed(SEED)


def _threads() -> int:
    """What a fork would lose: threads beside the main one (tqdm's monitor does no work), and an
    accelerator in use, which counts as one.
    """
    own = [t for t in threading.enumerate() if type(t).__module__ != "tqdm._monitor"]
    return len(own) - 1 + int(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _load_report(program: Program) -> dict[str, Any]:
    names = [n for n in map(str, program.namespace) if not n.startswith("_")]
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "errors": program.errors[:ERRORS_CAP],
        "names": [n[:200] for n in names[:NAMES_CAP]],
        "report": program.report,
        "threads": _threads(),
        "cpu_s": round(used.ru_utime + used.ru_stime, 4),
    }


class Supervisor:
    """One box's life, from its job to the host's hang-up."""

    def __init__(self, host: socket.socket, wall: seal.Wall) -> None:
        self.host = host
        self.wall = wall
        self.reaper = Reaper()
        self.scales = Scales(wall.members)
        self.limits: dict[str, Any] = {}
        self.job: dict[str, Any] = {}
        self.program_pid = 0
        self.control: socket.socket | None = None
        self.untaken = ""

    def run(self) -> NoReturn:
        """Serve until the host hangs up, then end (and with pid 1 everything in the box)."""
        code = 70
        # as pid 1, a signal without a handler is ignored when a child sends it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self._serve()
            code = 0
        except BaseException:
            traceback.print_exc()  # to the template's log: the host reports its last line
        if self.program_pid:
            self.reaper.kill(self.program_pid)  # and so its CPU time is counted upwards
        self._end_leftovers()
        os._exit(code)

    def _end_leftovers(self) -> None:
        """Where no pid namespace ends with us: kill what still runs under the box's user."""
        if self.wall.uid is None:
            return
        for _ in range(20):  # a process may fork between the look and the kill
            left = self.wall.members(0)
            if not left:
                return
            for pid in left:
                self.reaper.kill(pid, patience=0.05)

    def _serve(self) -> None:
        while True:
            got = wire.read(self.host.fileno(), wire.REQUEST_CAP)
            if got is None:
                return
            order, blob = got
            if order["op"] == "job":
                self._take(order, blob)
            elif order["op"] == "load":
                self._send(*self._load())
            elif order["op"] == "probe":
                self._send(*self._probe(order, blob))

    def _send(self, header: dict[str, Any], blob: bytes = b"") -> None:
        wire.write(self.host.fileno(), wire.pack(header, blob))

    def _take(self, order: dict[str, Any], blob: bytes) -> None:
        """Lay out the submission's files in the working folder, as far as they fit there."""
        self.job, self.limits = order["program"], order["limits"]
        at = 0
        for name, size in order["files"]:
            path = os.path.join(os.getcwd(), name)
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(blob[at : at + size])
                if self.wall.uid is not None:
                    os.chown(path, self.wall.uid, self.wall.uid)
            except OSError as e:  # too much for its disk, or a name that cannot be
                self.untaken = f"its file {name[:100]!r} cannot be laid out: {e.strerror}"
                return
            at += size

    def _program(self) -> Program:
        return Program(self.job["kind"], self.job["main"], list(self.job["cells"]))

    def _spawn(
        self, body: Callable[[int], None], keep: tuple[int, ...] = ()
    ) -> tuple[int, int, int]:
        """Fork a process that runs `body(frames)`; returns (pid, frames, output) to watch."""
        frames_out, frames_in = os.pipe()
        output_out, output_in = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                _become_student((frames_in, *keep), output_in)
                if sys.platform == "linux":
                    seal.limit(self.limits, self.wall.counted, bool(self.job["gpu"]))
                    self.wall.enter()
                    seal.dumpable(yes=True)
                body(frames_in)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(frames_in)
        os.close(output_in)
        return pid, frames_out, output_out

    def _watch(self, pid: int, frames: int, output: int, wall_s: float) -> Ended:
        try:
            ended = watch(
                pid,
                frames,
                output,
                self.host.fileno(),
                wall_s,
                self.limits,
                self.reaper,
                self.scales,
            )
        finally:
            os.close(frames)
            os.close(output)
        if ended.cause == "hangup":
            os._exit(0)
        return ended

    def _load(self) -> tuple[dict[str, Any], bytes]:
        if self.untaken:
            return {"status": "crash", "detail": self.untaken, "usage": {}}, b""
        ours, theirs = socket.socketpair()

        def body(frames: int) -> None:
            program = self._program()
            recorder = install(program)
            program.load()
            program.report = {**program.report, "recorder": recorder.report()}
            _flush()
            wire.write(frames, wire.pack(_load_report(program)))
            os.close(frames)
            _serve_forks(program, theirs)

        pid, frames, output = self._spawn(body, keep=(theirs.fileno(),))
        theirs.close()
        ended = self._watch(pid, frames, output, self.limits["wall_s"])
        header = self._header(ended)
        header["output"] = ended.output
        said = _said(ended.frame) if ended.cause == "frame" else None
        if ended.cause == "frame" and said is None:
            self.reaper.kill(pid)
            header.update(status="crash", detail="its report was forged: it is no plain data")
            ours.close()
        elif said is not None:
            header["load"] = said[0]
            header["usage"]["cpu_s"] = said[0].get("cpu_s", 0.0)
            self.program_pid, self.control = pid, ours
            if header["load"].get("threads"):
                self.reaper.kill(pid)
                self.control = None
        else:
            ours.close()
        return header, b""

    def _probe(self, order: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        wall_s = float(order["check_s"])
        if order["start"] == "fresh":
            spawned = self._spawn(lambda frames: _answer(self._program(), order, blob, frames))
        elif self.control is not None:
            found = self._fork_loaded(order, blob)
            if found is None:
                return {
                    "status": "crash",
                    "detail": "the program's process is gone",
                    "usage": {},
                }, b""
            spawned = found
        else:
            wall_s += self.limits["wall_s"]

            def again(frames: int) -> None:
                program = self._program()
                program.load()
                _answer(program, order, blob, frames)

            spawned = self._spawn(again)
        ended = self._watch(*spawned, wall_s)
        if ended.status is None:
            died = self.reaper.kill(spawned[0])
            ended.usage["cpu_s"] = round(died[1], 4) if died else 0.0
        header = self._header(ended)
        if ended.cause != "frame":
            return header, b""
        said = _said(ended.frame)
        if said is None or said[0].get("status") not in ANSWERS:
            forged = "its answer was forged: it is no plain data, or no answer"
            return {**header, "status": "crash", "detail": forged}, b""
        return {**said[0], "usage": header["usage"]}, said[1]

    def _fork_loaded(self, order: dict[str, Any], blob: bytes) -> tuple[int, int, int] | None:
        """Ask the loaded program's process for a fork that answers `order`."""
        assert self.control is not None
        frames_out, frames_in = os.pipe()
        output_out, output_in = os.pipe()
        pid = 0
        try:
            self.control.settimeout(10)
            socket.send_fds(self.control, [b"f"], [frames_in, output_in])
            self.control.sendall(wire.pack(order, blob))
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
        return pid, frames_out, output_out

    @staticmethod
    def _header(ended: Ended) -> dict[str, Any]:
        """Status and reason of a process, in the words of `Evidence`."""
        status, detail = ended.cause, ended.detail
        if status == "frame":
            status = "done"
        elif status == "oversize":
            status = "output"
        elif status == "exit":
            code = ended.status or 0
            status, detail = "crash", f"exit code {code} before it was done"
            if code == -24:  # SIGXCPU
                status, detail = "timeout", "it used more CPU time than allowed"
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


def _answer(program: Program, order: dict[str, Any], blob: bytes, frames: int) -> None:
    header, tensors = answer(program, order, blob)
    _flush()
    try:
        frame = wire.pack(header, tensors)
    except ValueError as e:  # NaN or an object where plain data belongs
        frame = wire.pack(failure(e, program))
    wire.write(frames, frame)


def _serve_forks(program: Program, control: socket.socket) -> None:
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
                _become_student((frames,), output)  # the limits are inherited
                _answer(program, order, blob, frames)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.waitpid(middle, 0)
        os.close(frames)
        os.close(output)
