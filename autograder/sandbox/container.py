"""Boxes by podman or docker: one single-use container per submission, taken from a warm pool.

A container starts, imports torch, connects to the socket the host listens on and waits;
`open` hands it a job and a fresh one is started in its place, so that a submission never
waits for a cold start. What the engine puts around it:

    --network none  --read-only  --cap-drop all  --security-opt no-new-privileges
    memory, pids and cpu limits, tmpfs for the writable places, an unprivileged uid

and inside the process adds the system-call filter, the rlimits and the clocks, as in every
box. Data and the `inside` package are mounted read-only; nothing of the course is.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from ..errors import SandboxError
from ..model import Job
from . import syscalls
from .base import (
    HOME,
    SHELF,
    WARM_S,
    Channel,
    TemplateBox,
    environment,
    inside_folder,
    package_copy,
)

IMAGE = "five-beats-box"
CONTROL = "/srv/control"
NOBODY = "65534:65534"
ULIMITS = ("--ulimit", "nofile=2048:2048", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0")
"""Stated, because an engine's own default may exceed what it is itself allowed."""


def engine_options() -> tuple[str, ...]:
    """What this machine's engine needs before its verb, from FIVE_BEATS_ENGINE_OPTIONS: such as
    `--runtime runc` where crun refuses a hybrid cgroup layout.
    """
    return tuple(shlex.split(os.environ.get("FIVE_BEATS_ENGINE_OPTIONS", "")))


@dataclass(frozen=True)
class Shape:
    """What a container must be started for; only jobs of the same shape can share a pool."""

    data: Path | None
    memory_mb: int
    processes: int
    disk_mb: int


def shape_of(job: Job) -> Shape:
    """What a container for `job` must be started with."""
    limits = job.limits
    return Shape(job.data, limits.memory_mb, limits.processes, limits.disk_mb)


class _Waiting:
    """One started container, warm or about to be."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], listener: socket.socket):
        self.name, self.process, self.listener = name, process, listener

    def connect(self) -> socket.socket:
        """The box's socket, once the container has said that it is warm."""
        self.listener.settimeout(1.0)
        left = WARM_S
        while True:
            try:
                sock, _ = self.listener.accept()
                break
            except TimeoutError:
                left -= 1
                if left <= 0 or self.process.poll() is not None:
                    raise SandboxError(
                        f"a container did not start: {self.last_words()}",
                        remedy="run `autograder doctor`",
                    ) from None
        sock.settimeout(WARM_S)
        try:
            if sock.recv(4, socket.MSG_WAITALL) != b"warm":
                raise SandboxError(f"a container did not warm up: {self.last_words()}")
        except OSError as e:
            raise SandboxError(f"a container did not warm up: {e}") from e
        return sock

    def last_words(self) -> str:
        assert self.process.stderr is not None
        if self.process.poll() is None:
            return "it is still starting"
        lines = self.process.stderr.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}"


class Container:
    """Makes boxes as containers of `engine` (`podman` or `docker`) from `image`.

    What the engine itself needs on this machine comes from `engine_options`. `warm` containers
    are kept waiting. `gpu` passes every NVIDIA GPU in.
    """

    def __init__(
        self,
        engine: str,
        image: str = IMAGE,
        warm: int = 2,
        *,
        gpu: bool = False,
    ) -> None:
        self.gpu = gpu
        self.name = engine
        self.image = image
        self.command = (engine, *engine_options())
        self.warm = warm
        self._folder = tempfile.mkdtemp(prefix="five-beats-control-")
        os.chmod(self._folder, 0o755)  # noqa: S103 - the container's user must reach its socket
        self._package = package_copy(inside_folder())
        self._pool: dict[Shape, list[_Waiting]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def _run_arguments(self, name: str, shape: Shape, folder: str) -> list[str]:
        size = f"size={shape.disk_mb}m,mode=1777"
        out = [*self.command, "run", "--rm", "--name", name, "--pull", "never"]
        out += ["--network", "none", "--read-only", "--cap-drop", "all", "-u", NOBODY]
        out += ["--security-opt", "no-new-privileges", "--hostname", "box"]
        out += ["--cgroupns", "private"]  # else it reads the host's path of its group
        # the engine's own limit is the backstop behind the watchdog, which can say what it saw
        out += ["--memory", f"{shape.memory_mb + 1024}m", "--pids-limit", str(shape.processes + 8)]
        out += [
            *ULIMITS,
        ]
        out += [
            "--tmpfs",
            f"/tmp:{size}",  # noqa: S108 - the container's own
            "--tmpfs",
            f"{HOME}:{size}",
            "--shm-size",
            f"{shape.disk_mb}m",
        ]
        out += [
            "-v",
            f"{self._package}:/srv/five-beats/inside:ro",
            "-v",
            f"{folder}:{CONTROL}:ro",
        ]
        if shape.data is not None:
            out += ["-v", f"{shape.data.resolve()}:{SHELF}:ro"]
        if self.gpu and self.name == "podman":
            out += ["--device", "nvidia.com/gpu=all"]
        elif self.gpu:
            out += ["--gpus", "all"]
        variables = {
            **environment(gpu=self.gpu),
            "FIVE_BEATS_CONTROL": f"{CONTROL}/socket",
            "FIVE_BEATS_WALL": "container",
            "FIVE_BEATS_SYSCALLS": syscalls.encoded(),
        }
        for key, value in variables.items():
            out += ["-e", f"{key}={value}"]
        start = (
            "import sys; sys.path.insert(0, '/srv/five-beats'); import inside.box.template as t; "
        )
        return [
            *out,
            self.image,
            "-P",
            "-B",
            "-c",
            start + "sys.path.pop(0); t.main()",
        ]

    def _start(self, shape: Shape) -> _Waiting:
        if shutil.which(self.command[0]) is None:
            raise SandboxError(
                f"{self.command[0]} is not installed",
                remedy="install it, or use --sandbox bubblewrap",
            )
        name = f"five-beats-{uuid.uuid4().hex[:12]}"
        folder = os.path.join(self._folder, name)
        os.mkdir(folder, 0o755)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder, "socket"))
        os.chmod(os.path.join(folder, "socket"), 0o777)  # noqa: S103
        listener.listen(1)
        process = subprocess.Popen(
            self._run_arguments(name, shape, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        return _Waiting(name, process, listener)

    def _refill(self, shape: Shape) -> None:
        with self._lock:
            while not self._closed and len(self._pool.setdefault(shape, [])) < self.warm:
                self._pool[shape].append(self._start(shape))

    def open(self, job: Job) -> TemplateBox:
        """The next warm container of the job's shape. Raises `SandboxError`."""
        shape = shape_of(job)
        self._refill(shape)
        with self._lock:
            taken = self._pool[shape].pop(0)
        self._refill(shape)
        try:
            sock = taken.connect()
        except SandboxError:
            self._end(taken)
            raise
        return TemplateBox(Channel(sock), job, lambda: self._end(taken))

    def _remove(self, container: _Waiting) -> None:
        """Kill a container at once; podman asks it to leave first, unless told not to wait."""
        at_once = ["--time", "0"] if self.name == "podman" else []
        command = [*self.command, "rm", "--force", *at_once, container.name]
        subprocess.run(command, check=False, capture_output=True)

    def _end(self, container: _Waiting) -> None:
        """End a container and forget it; pid 1 leaves by itself when its socket closes."""
        container.listener.close()
        try:
            container.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._remove(container)
            with contextlib.suppress(subprocess.TimeoutExpired):
                container.process.wait(timeout=10)
        if container.process.stderr is not None:
            container.process.stderr.close()
        shutil.rmtree(os.path.join(self._folder, container.name), ignore_errors=True)

    def close(self) -> None:
        """End every waiting container."""
        with self._lock:
            self._closed = True
            waiting = [c for pool in self._pool.values() for c in pool]
            self._pool.clear()
        for container in waiting:
            self._remove(container)
            self._end(container)
        for folder in (self._folder, self._package.parent):
            shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
