"""The seam between the grader and whatever runs a submission.

`Sandbox` makes boxes, a `Box` is one submission's, used once. Every backend starts the same
warm template (`inside/box/template.py`) in its own way and speaks to it the same way:

    control socket   one message per box, with the box's own socket attached
    box socket       orders and answers, as frames; closing it ends the box
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from ..errors import SandboxError
from ..model import Evidence, Job, LoadReport, ProbeRequest
from .cgroup import Group
from .evidence import BLOB_CAP, HEADER_CAP, pack_tensors, read_answer, read_load

HOME, SHELF = "/home/student", "/srv/data"
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": HOME,
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - the box's own
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    "IPYTHONDIR": "/tmp/ipython",  # noqa: S108
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "CUDA_VISIBLE_DEVICES": "",
    "TERM": "dumb",
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""All that a boxed program finds in its environment.

The last two put the template's memory on huge pages where the kernel has them on offer: a fork
then copies far fewer page-table entries (17 ms of CPU become 5, see docs/architecture.md).
"""
DERIVED = ("disk_mb", "budget_s", "budget_cpu_s", "stretch")
"""Limits that follow from stated ones, and are told to the box with them."""
_HEAD = struct.Struct(">II")
GRACE_S = 30.0
"""How much longer than a probe's own clock the host waits for the box's answer."""
WARM_S = 180.0
GONE = "the program's process is gone"
"""What the supervisor says where there is no loaded program any more to ask."""


def environment(*, gpu: bool = False) -> dict[str, str]:
    """`ENVIRONMENT`, which hides every GPU, or the same without that."""
    return {k: v for k, v in ENVIRONMENT.items() if not (gpu and k == "CUDA_VISIBLE_DEVICES")}


def gpu_devices() -> list[str]:
    """The device files of this machine's NVIDIA GPUs, in name order; none where there is none."""
    return sorted(str(p) for p in Path("/dev").glob("nvidia*"))


class Box(Protocol):
    """One submission's box."""

    def load(self) -> LoadReport:
        """Run the program. Raises `SandboxError` if the box itself fails."""

    def probe(self, request: ProbeRequest) -> Evidence:
        """Run one probe. Raises `SandboxError` if the box itself fails."""

    def __enter__(self) -> Box: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Sandbox(Protocol):
    """A maker of boxes; close it when the class is done."""

    name: str

    def open(self, job: Job) -> Box: ...

    def close(self) -> None: ...


class Channel:
    """Frames over a socket, seen from the host. Every frame has a cap and a clock."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, header: dict[str, Any], blob: bytes = b"") -> None:
        text = json.dumps(header, allow_nan=False).encode()
        try:
            self.sock.settimeout(60)
            self.sock.sendall(_HEAD.pack(len(text), len(blob)) + text + blob)
        except OSError as e:
            raise SandboxError(f"the box went away: {e}") from e

    def _exactly(self, n: int, end: float) -> bytes:
        buffer = bytearray()
        while len(buffer) < n:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            chunk = self.sock.recv(min(n - len(buffer), 2**20))
            if not chunk:
                raise SandboxError("the box ended without an answer")
            buffer += chunk
        return bytes(buffer)

    def receive(self, timeout_s: float) -> tuple[bytes, bytes] | None:
        """(header, blob), unparsed; None for one over the cap (the box must then be closed)."""
        end = time.monotonic() + timeout_s
        try:
            n, m = _HEAD.unpack(self._exactly(_HEAD.size, end))
            if n > HEADER_CAP or m > BLOB_CAP:
                return None
            return self._exactly(n, end), self._exactly(m, end)
        except TimeoutError as e:
            raise SandboxError(f"the box gave no answer within {timeout_s:g} s") from e
        except OSError as e:
            raise SandboxError(f"the box's socket failed: {e}") from e


class TemplateBox:
    """A box made by a `Template`."""

    def __init__(
        self,
        channel: Channel,
        job: Job,
        done: Callable[[], None],
        group: Group | None = None,
    ) -> None:
        self._channel = channel
        self._job = job
        self._done = done
        self._group = group
        self._killed = self._refused = 0
        self._over = b""
        self._excess: dict[str, Any] = {}
        derived = {name: getattr(job.limits, name) for name in DERIVED}
        limits = {**job.limits.__dict__, **derived}
        names = sorted(job.files)
        self._channel.send(
            {
                "op": "job",
                "program": {
                    "kind": job.program.kind,
                    "main": job.program.main,
                    "cells": list(job.program.cells),
                    "gpu": job.gpu,
                },
                "files": [[name, len(job.files[name])] for name in names],
                "limits": limits,
                "probes": job.probes,
            },
            b"".join(job.files[name] for name in names),
        )

    def load(self) -> LoadReport:
        limits = self._job.limits
        got = self._exchange({"op": "load"}, b"", limits.stretch * limits.wall_s + GRACE_S)
        if got is None:
            over = f"its report was over the limit of {HEADER_CAP} bytes"
            return LoadReport("output", detail=over)
        report = read_load(got[0])
        limit = self._ran_into(report.status, report.detail)
        return replace(report, **limit) if limit else report

    def probe(self, request: ProbeRequest) -> Evidence:
        check_s = request.check_s or self._job.limits.check_s
        order = {
            "op": "probe",
            "probe": request.probe,
            "args": dict(request.args),
            "start": request.start,
            "check_s": check_s,
        }
        limits = self._job.limits
        patience = limits.stretch * (check_s + limits.wall_s) + GRACE_S
        got = self._exchange(order, pack_tensors(dict(request.tensors)), patience)
        if got is None:
            raise SandboxError("an answer was over the size limit")
        found = read_answer(*got)
        limit = self._ran_into(found.status, found.detail)
        return replace(found, **limit) if limit else found

    def _exchange(
        self, order: dict[str, Any], blob: bytes, patience_s: float
    ) -> tuple[bytes, bytes] | None:
        """The box's answer to an order. A box that went away under a kill for want of memory ran
        into that limit, and says so from then on.
        """
        if not self._over:
            try:
                self._channel.send(order, blob)
                got = self._channel.receive(patience_s)
            except SandboxError:
                limit = self._ran_into("crash", "")
                if not limit:
                    raise
                self._over = json.dumps(limit).encode()
            else:
                if got is not None:
                    self._unbroken(got[0])
                return got
        return self._over, b""

    def _ran_into(self, status: str, detail: str) -> dict[str, Any]:
        """Status and detail of the limit that the box's group saw exceeded when a process crashed;
        nothing where it saw none, or the box could say for itself how the process ended. Of a
        program that is gone since an earlier crash, the limit of that one.
        """
        if self._group is None:
            return {}
        killed, refused = self._group.killed(), self._group.refused()
        more = killed > self._killed, refused > self._refused
        self._killed, self._refused = killed, refused
        limits = self._job.limits
        if status == "crash" and more[0]:
            said = f"it used more than the {limits.memory_mb} MiB of memory allowed"
            self._excess = {"status": "memory", "detail": said}
            return self._excess
        if status == "crash" and more[1]:
            said = f"it ran more than the {limits.processes} processes and threads allowed"
            self._excess = {"status": "processes", "detail": said}
            return self._excess
        return self._excess if status == "crash" and detail == GONE else {}

    @staticmethod
    def _unbroken(header: bytes) -> None:
        """A box that could not be sealed, or start a process, says so instead of answering."""
        if header.startswith(b'{"status": "broken"'):
            raise SandboxError(f"the box could not be made ready: {json.loads(header)['detail']}")

    def __enter__(self) -> TemplateBox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._channel.sock.close()
        self._done()


class Template:
    """A warm template process and its control socket. Thread-safe."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, log: IO[bytes]):
        self.process = process
        self.control = control
        self.log = log
        self._words = ""
        self._lock = threading.Lock()
        self._wait_until_warm()

    def last_words(self) -> str:
        """The last line the template wrote to its log, also after `close`."""
        if not self.log.closed:
            self.log.seek(0)
            lines = self.log.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
            self._words = lines[-1] if lines else "it said nothing"
        return self._words

    def _wait_until_warm(self) -> None:
        self.control.settimeout(WARM_S)
        try:
            said = self.control.recv(16)
        except OSError as e:
            said = str(e).encode()
        if said != b"warm":
            self.close()
            raise SandboxError(
                f"the box's template did not start: {self.last_words()}",
                remedy="run `autograder doctor`",
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def open(
        self,
        job: Job,
        message: dict[str, Any],
        done: Callable[[], None],
        group: Group | None = None,
    ) -> TemplateBox:
        """Fork a child for `job` into `group`; `message` is what `template` documents.
        With `"waiting"` in it, the child that `wait` had forked into `group` is taken if it lives.
        """
        ours, theirs = socket.socketpair()
        try:
            with contextlib.ExitStack() as held:
                doors = held.enter_context(group.doors()) if group is not None else []
                held.enter_context(self._lock)
                given = [theirs.fileno(), *doors]
                socket.send_fds(self.control, [json.dumps(message).encode()], given)
        except OSError as e:
            ours.close()
            raise SandboxError(f"the box's template is gone: {self.last_words()}") from e
        finally:
            theirs.close()
        return TemplateBox(Channel(ours), job, done, group)

    def wait(self, group: Group) -> None:
        """Fork a child into `group` ahead of its box. Raises OSError."""
        with group.doors() as doors, self._lock:
            socket.send_fds(self.control, [b'{"wait": true}'], doors)

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.last_words()
        self.log.close()


def living(template: Template | None, start: Callable[[], Template]) -> Template:
    """The template if it lives, else a new one in its place."""
    if template is not None:
        if template.alive:
            return template
        template.close()
    return start()


def inside_folder() -> Path:
    """The package that is shipped into boxes."""
    return Path(__file__).resolve().parent.parent / "inside"


def package_copy(package: Path) -> Path:
    """A copy of the package `inside`, in a temporary folder of its own, readable by all. A box's
    table of mounts shows where each comes from, and the package itself lies in the course or
    beside the judges. The maker removes the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="five-beats-inside-"))
    folder.chmod(0o755)
    shutil.copytree(package, folder / "inside", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "inside"


def start_command(parent: Path) -> list[str]:
    """The command that runs the template from the package `inside` below `parent`.

    The folder is on the path only for that import, so that a student's `import model` never
    finds a file of ours.
    """
    start = f"import sys; sys.path.insert(0, {str(parent)!r}); import inside.box.template as t; "
    return [sys.executable, "-P", "-B", "-c", start + "sys.path.pop(0); t.main()"]


_STAGE = """
stage=$1; shift
mount -t tmpfs -o size=1m,mode=755 tmpfs "$stage"
i=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir "$stage/$i"; else : > "$stage/$i"; fi
  mount --bind "$1" "$stage/$i"
  i=$((i + 1)); shift
done
shift
exec "$@"
"""


def staged(stage: str, sources: list[str], command: list[str]) -> list[str]:
    """A command for root that runs `command` in a private mount namespace, in which the i-th
    source is also to be found at `stage/i`, whatever folders it lies below.
    """
    unshare = ["unshare", "--mount", "--propagation", "private", "--"]
    return [*unshare, "sh", "-ec", _STAGE, "stage", stage, *sources, "--", *command]
