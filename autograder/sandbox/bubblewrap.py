"""Boxes by bubblewrap: a sealed outer room with the warm template, a sealed child per submission.

The outer room holds the system's libraries, the Python environment, the `inside` package and
the prepared data, all read-only; no network, no home, nothing of the course. It is never
entered as uid 0: as root we drop to `nobody` first. Because `nobody` may not be able to walk
to those folders (an environment below /root), root first binds them together in a private
mount namespace, where bubblewrap picks them up:

    root:   unshare --mount -> tmpfs on a stage, bind each source there -> setpriv nobody -> bwrap
    others: bwrap

Each child then unshares once more and seals itself (`inside/seal.py`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from pathlib import Path

from ..errors import SandboxError
from ..model import Job
from . import syscalls
from .base import Template, TemplateBox, inside_folder, start_command

HOME, SHELF, PACKAGE = "/home/student", "/srv/data", "/srv/five-beats/inside"
NOBODY = 65534
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/fonts")
_ENVIRONMENT = {
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
}
_STAGE = """
set -e
stage=$1; shift
mount -t tmpfs -o size=1m,mode=755 tmpfs "$stage"
i=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir "$stage/$i"; else : > "$stage/$i"; fi
  mount --bind "$1" "$stage/$i"
  i=$((i + 1)); shift
done
shift
exec setpriv --reuid={uid} --regid={uid} --clear-groups --inh-caps=-all -- "$@"
"""


def python_folders() -> list[Path]:
    """Folders outside /usr that this Python needs: its prefixes and its package folders."""
    paths = {Path(p) for p in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)}
    paths |= {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}
    real = {p for q in paths if q.exists() for p in (q, q.resolve())}
    kept: list[Path] = []
    for path in sorted(real, key=lambda p: len(p.parts)):
        if path != Path("/") and not any(path.is_relative_to(k) for k in (*kept, Path("/usr"))):
            kept.append(path)
    return kept


class Bubblewrap:
    """Makes sealed boxes; one warm template, started at the first box.

    `data` is the folder whose subfolders are the prepared data roots; `secrets` are folders
    that must be hidden even where they lie below something that is mounted.
    """

    name = "bubblewrap"

    def __init__(self, data: Path, secrets: tuple[Path, ...] = ()) -> None:
        self.data = data.resolve()
        self.secrets = tuple(s.resolve() for s in (*secrets, inside_folder().parent))
        self._template: Template | None = None
        self._lock = threading.Lock()
        self._stage: str | None = None

    def _arguments(self, staged: dict[str, str], files: tuple[int, ...]) -> list[str]:
        """The bwrap command line; `staged` maps each real source to where it can be read."""
        bwrap = shutil.which("bwrap") or "bwrap"
        out = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
        bound: list[str] = []

        def bind(source: str, target: str) -> None:
            out.extend(["--ro-bind", staged.get(source, source), target])
            bound.append(target)

        def hide() -> None:
            for secret in map(str, self.secrets):
                if any(Path(secret).is_relative_to(b) for b in bound):
                    out.extend(["--tmpfs", secret, "--remount-ro", secret])

        for path in _SYSTEM:
            if os.path.islink(path):
                out.extend(["--symlink", os.readlink(path), path])
            elif os.path.isdir(path):
                bind(path, path)
        for path in _ETC:
            if os.path.exists(path):
                bind(path, path)
        out.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", HOME])  # noqa: S108
        hide()
        for folder in python_folders():
            bind(str(folder), str(folder))
        hide()
        bind(str(inside_folder()), PACKAGE)
        bind(str(self.data), SHELF)
        for key, value in _ENVIRONMENT.items():
            out.extend(["--setenv", key, value])
        control, filter_ = files
        out.extend(["--setenv", "FIVE_BEATS_CONTROL", str(control)])
        out.extend(["--setenv", "FIVE_BEATS_SYSCALLS", str(filter_)])
        out.extend(["--setenv", "FIVE_BEATS_SEALED", "1", "--chdir", HOME, "--"])
        return [*out, *start_command(Path(PACKAGE).parent)]

    def _sources(self) -> list[str]:
        return [*map(str, python_folders()), str(inside_folder()), str(self.data)]

    def _start(self) -> Template:
        if shutil.which("bwrap") is None:
            raise SandboxError(
                "bubblewrap is not installed", remedy="`apt-get install bubblewrap`, or see doctor"
            )
        program = syscalls.program()
        control, theirs = socket.socketpair()
        filter_file = tempfile.TemporaryFile()
        filter_file.write(program)
        filter_file.seek(0)
        log = tempfile.TemporaryFile()
        files = (theirs.fileno(), filter_file.fileno())
        try:
            if os.getuid() == 0:
                command = self._as_nobody(files)
            else:
                command = self._arguments({}, files)
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=files,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
                cwd="/",
            )
        except OSError as e:
            control.close()
            raise SandboxError(f"bubblewrap cannot be started: {e}") from e
        finally:
            theirs.close()
            filter_file.close()
        return Template(process, control, log)

    def _as_nobody(self, files: tuple[int, ...]) -> list[str]:
        """The command for root: bind the sources on a private stage, drop to nobody, go on."""
        self._stage = tempfile.mkdtemp(prefix="five-beats-stage-")
        for folder in (self._stage, self.data):
            os.chmod(folder, 0o755)  # noqa: S103 - nobody must be able to enter it
        sources = self._sources()
        staged = {source: f"{self._stage}/{i}" for i, source in enumerate(sources)}
        script = _STAGE.replace("{uid}", str(NOBODY))
        unshare = ["unshare", "--mount", "--propagation", "private", "--"]
        stage = ["sh", "-c", script, "stage", self._stage, *sources, "--"]
        return [*unshare, *stage, *self._arguments(staged, files)]

    def open(self, job: Job) -> TemplateBox:
        """A box for `job`. Raises `SandboxError` where none can be made."""
        data = None
        if job.data is not None:
            root = job.data.resolve()
            if not root.is_relative_to(self.data):
                raise SandboxError(f"{root} is not below the prepared data at {self.data}")
            data = str(root.relative_to(self.data))
        message = {"data": data, "disk_mb": 4 * job.limits.file_mb}
        with self._lock:
            if self._template is None or not self._template.alive:
                self._template = self._start()
            template = self._template
        return template.open(job, message, lambda: None)

    def close(self) -> None:
        """End the template and with it every box."""
        if self._template is not None:
            self._template.close()
            self._template = None
        if self._stage is not None:
            with contextlib.suppress(OSError):
                os.rmdir(self._stage)
            self._stage = None

    def __enter__(self) -> Bubblewrap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
