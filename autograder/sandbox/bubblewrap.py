"""Boxes by bubblewrap: a sealed outer room with the warm template, a sealed child per submission.

The outer room holds of the host what Python needs (`needed.py`), the `inside` package and the
prepared data, all read-only; no network, no home, nothing of the course. It is never
entered as uid 0: as root we drop to `nobody` first, in a user namespace that has ids to spare for
the boxes. Because `nobody` may not be able to walk
to those folders (an environment below /root), root first binds them together in a private
mount namespace, where bubblewrap picks them up:

    root:   unshare --mount -> tmpfs on a stage, bind each source there -> setpriv nobody -> bwrap
    others: bwrap

Each child then enters a control group of its own, where there can be one (`cgroup.py`),
unshares once more and seals itself (`inside/box/seal.py`). Entering a group takes as long as the
rest together, so while a box is at work the child of the next one enters its group and waits.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ..errors import SandboxError
from ..model import Job
from . import syscalls
from .base import (
    HOME,
    SHELF,
    Template,
    TemplateBox,
    environment,
    gpu_devices,
    inside_folder,
    living,
    package_copy,
    staged,
    start_command,
)
from .cgroup import Group, Groups, available
from .needed import SYSTEM, python_paths

PACKAGE = "/srv/five-beats/inside"
NOBODY = 65534
_NAMESPACES = ("ipc", "pid", "net", "uts", "cgroup-try")
_DROP = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all",
    "--",
)
USERS = range(63_000, 65_000)
"""User ids of boxes, two each: a range that Debian gives to nobody, and none of `uid.FIRST`'s."""


@contextlib.contextmanager
def user_namespace() -> Iterator[int | None]:
    """A descriptor of a user namespace that belongs to nobody and knows `USERS`; None where we may
    not make one (only root may map other users' ids), and boxes do with one user.
    """
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        yield None
        return
    holder = subprocess.Popen(
        [*_DROP, "unshare", "--user", "sh", "-c", "echo; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    users = None
    try:
        if holder.stdout.readline():
            with contextlib.suppress(OSError):  # root of a container that has no such ids to give
                for name in ("uid_map", "gid_map"):
                    lines = f"{USERS[0]} {USERS[0]} {len(USERS)}\n{NOBODY} {NOBODY} 1\n"
                    Path(f"/proc/{holder.pid}/{name}").write_text(lines)
                users = os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY)
        yield users
    finally:
        if users is not None:
            os.close(users)
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


class Bubblewrap:
    """Makes sealed boxes; one warm template, started at the first box.

    `data` is the folder whose subfolders are the prepared data roots; `secrets` are folders
    that must be hidden even where they lie below something that is mounted. `gpu` passes this
    machine's NVIDIA devices in; without it a box has none.
    """

    name = "bubblewrap"

    def __init__(self, data: Path, secrets: tuple[Path, ...] = (), *, gpu: bool = False) -> None:
        self.gpu = gpu
        self.data = data.resolve()
        self.secrets = tuple(s.resolve() for s in (*secrets, inside_folder().parent))
        self._template: Template | None = None
        self._lock = threading.Lock()
        self._stage: str | None = None
        self._copy: Path | None = None
        self._groups: Groups | None = None
        self._ahead: Group | None = None

    def _arguments(
        self, where: dict[str, str], control: int, users: int | None = None
    ) -> list[str]:
        """The bwrap command line; `where` maps each real source to where it can be read, `users` is
        a descriptor of the room's user namespace where one was made.
        """
        out = [shutil.which("bwrap") or "bwrap"]
        if users is None:
            out += ["--unshare-all"]
        else:
            out += ["--userns", str(users), *(f"--unshare-{name}" for name in _NAMESPACES)]
            out += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        out += ["--hostname", "box", "--die-with-parent", "--new-session", "--clearenv"]
        bound: list[str] = []

        def show(source: str, target: str) -> None:
            for parent in reversed(Path(target).parents[:-1]):
                out.extend(["--dir", str(parent)])  # else only its maker could pass through it
            if os.path.islink(source) and source == target:
                out.extend(["--symlink", os.readlink(source), target])
            else:
                out.extend(["--ro-bind", where.get(source, source), target])
                bound.append(target)

        def hide() -> None:
            for secret in map(str, self.secrets):
                if any(Path(secret).is_relative_to(b) for b in bound):
                    out.extend(["--tmpfs", secret, "--remount-ro", secret])

        for path in filter(os.path.lexists, SYSTEM):
            show(path, path)
        out.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", HOME])  # noqa: S108
        hide()
        for needed in map(str, python_paths()):
            show(needed, needed)
        hide()
        show(str(self._package()), PACKAGE)
        show(str(self.data), SHELF)
        # bubblewrap's own root and /dev are tmpfs that every child would share: nothing may be left
        for device in gpu_devices() if self.gpu else ():
            out.extend(["--dev-bind", device, device])
        out.extend(["--remount-ro", "/dev", "--remount-ro", "/"])
        for key, value in environment(gpu=self.gpu).items():
            out.extend(["--setenv", key, value])
        out.extend(["--setenv", "FIVE_BEATS_CONTROL", str(control)])
        out.extend(["--setenv", "FIVE_BEATS_WALL", "namespaces"])
        out.extend(["--setenv", "FIVE_BEATS_SYSCALLS", syscalls.encoded()])
        out.extend(["--chdir", HOME, "--"])
        return [*out, *start_command(Path(PACKAGE).parent)]

    def _sources(self) -> list[str]:
        """What is shown of places that nobody may be able to walk to."""
        paths = [p for p in python_paths() if not p.is_symlink()]
        return [*map(str, paths), str(self._package()), str(self.data)]

    def _package(self) -> Path:
        if self._copy is None:
            self._copy = package_copy(inside_folder())
        return self._copy

    def _start(self) -> Template:
        if shutil.which("bwrap") is None:
            raise SandboxError(
                "bubblewrap is not installed", remedy="`apt-get install bubblewrap`, or see doctor"
            )
        control, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the template's, closed with it
        try:
            with user_namespace() as users:
                if users is None:
                    # files in flight are counted for a user, and a box's user is then ours, too
                    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
                if os.getuid() == 0:
                    command = self._as_nobody(theirs.fileno(), users)
                else:
                    command = self._arguments({}, theirs.fileno())
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[fd for fd in (theirs.fileno(), users) if fd is not None],
                    env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
                    cwd="/",
                )
        except OSError as e:
            control.close()
            raise SandboxError(f"bubblewrap cannot be started: {e}") from e
        finally:
            theirs.close()
        return Template(process, control, log)

    def _as_nobody(self, control: int, users: int | None) -> list[str]:
        """The command for root: bind the sources on a private stage, drop to nobody, go on."""
        self._stage = tempfile.mkdtemp(prefix="five-beats-stage-")
        for folder in (self._stage, self.data):
            os.chmod(folder, 0o755)  # noqa: S103 - nobody must be able to enter it
        sources = self._sources()
        where = {source: f"{self._stage}/{i}" for i, source in enumerate(sources)}
        command = [*_DROP, *self._arguments(where, control, users)]
        return staged(self._stage, sources, command)

    def open(self, job: Job) -> TemplateBox:
        """A box for `job`. Raises `SandboxError` where none can be made."""
        data = None
        if job.data is not None:
            root = job.data.resolve()
            if not root.is_relative_to(self.data):
                raise SandboxError(f"{root} is not below the prepared data at {self.data}")
            data = str(root.relative_to(self.data))
        message = {"data": data, "disk_mb": job.limits.disk_mb}
        with self._lock:
            if self._template is None:
                self._groups = available()
            before, self._template = self._template, living(self._template, self._start)
            template, groups = self._template, self._groups
            ahead, self._ahead = self._ahead, None
            if groups is not None and ahead is not None and template is not before:
                groups.end(ahead)  # who waited in it has gone with the template
                ahead = None
        if groups is None:
            return template.open(job, message, lambda: None)
        group = ahead or groups.make()
        try:
            group.limit(job.limits)
            message["waiting"] = ahead is not None
            box = template.open(job, message, lambda: groups.end(group), group)
        except SandboxError:
            groups.end(group)
            raise
        self._prepare(template, groups)
        return box

    def _prepare(self, template: Template, groups: Groups) -> None:
        """Have the process of the next box forked into its group already."""
        with self._lock:
            if self._ahead is not None or self._template is not template:
                return
            # if it cannot be done, the next box is opened without, and says why if it cannot either
            with contextlib.suppress(SandboxError):
                group = groups.make()
                try:
                    template.wait(group)
                except OSError:
                    groups.end(group)
                else:
                    self._ahead = group

    def close(self) -> None:
        """End the template and with it every box."""
        if self._template is not None:
            self._template.close()
            self._template = None
        if self._groups is not None:
            if self._ahead is not None:
                self._groups.end(self._ahead)
                self._ahead = None
            self._groups.close()
            self._groups = None
        if self._stage is not None:
            with contextlib.suppress(OSError):
                os.rmdir(self._stage)
            self._stage = None
        if self._copy is not None:
            shutil.rmtree(self._copy.parent, ignore_errors=True)
            self._copy = None

    def __enter__(self) -> Bubblewrap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
