"""Boxes by another user id: for use inside somebody else's container, such as Gradescope's.

Where neither namespaces nor an engine can be had, root can still run each submission as a
user of its own, one that owns nothing but its working folder:

    stops    reading what only root may read (the hidden half must be sealed: checked here) and,
             where the kernel has Landlock, anything that no Python needs (`needed.py`),
             touching the grader's processes or another submission's, raising privileges,
             the system calls of the filter, more memory, processes or time than allowed
    cannot   hide the list of processes, cut the network off below the filter's refusal of
             sockets, give it a /tmp of its own, or bound the disk beyond the file size

A process left behind is killed by its user id when the box closes. What the user wrote in
shared places (/tmp, /dev/shm) is removed then too. So a user id belongs to one box at a time on
the whole machine, whichever grader opened it: a lock in a folder of root's says whose it is. The
first is drawn at random, because the kernel counts a user's processes over all containers that
have no user namespace of their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import randbelow
from typing import IO

from ..errors import SandboxError
from ..model import Job
from . import syscalls
from .base import (
    ENVIRONMENT,
    Template,
    TemplateBox,
    inside_folder,
    living,
    staged,
    start_command,
)
from .needed import SYSTEM, python_paths

FIRST, COUNT = 61_000, 2_000
"""User ids of boxes: a range that Debian gives to nobody."""
LOCKS = Path("/run/five-beats-uids")
"""Where only root may write, and what is gone after a restart."""
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - what a box may have littered
_REOPEN = """
while [ "$1" != -- ]; do
  mount -t tmpfs -o size=1m,mode=755 tmpfs "$1"
  shift
done
shift
while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$2")"
  if [ -d "$1" ]; then mkdir -p "$2"; else : > "$2"; fi
  mount --rbind "$1" "$2"
  shift 2
done
shift
while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$2")"
  ln -s "$1" "$2"
  shift 2
done
shift
exec "$@"
"""


def closed_to_others(path: Path) -> bool:
    """Whether a user who is neither owner nor group cannot get at `path`."""
    path = path.resolve()
    if not path.exists():
        return True
    if any(not parent.stat().st_mode & 0o001 for parent in path.parents):
        return True
    return not path.stat().st_mode & 0o005


def first_closed(path: Path) -> Path | None:
    """The topmost folder above (or at) `path` that others may not enter."""
    for folder in (*reversed(path.parents), path):
        if folder.is_dir() and not folder.stat().st_mode & 0o001:
            return folder
    return None


class Uid:
    """Makes boxes as other users. `secrets` are folders that must be closed to them."""

    name = "uid"

    def __init__(self, secrets: tuple[Path, ...] = ()) -> None:
        if os.getuid() != 0:
            raise SandboxError("only root can run code as other users", remedy="run as root")
        for secret in secrets:
            for part in ("assignments", "source", "tests"):
                if (secret / part).exists() and not closed_to_others(secret / part):
                    raise SandboxError(
                        f"{secret / part} can be read by every user",
                        remedy=f"chmod o-rwx {secret / part}",
                    )
        self._template: Template | None = None
        self._lock = threading.Lock()
        start = randbelow(COUNT)
        self._uids: Iterator[int] = (FIRST + (start + i) % COUNT for i in itertools.count())
        self._stage: str | None = None
        self._homes = tempfile.mkdtemp(prefix="five-beats-homes-")
        os.chmod(self._homes, 0o711)  # noqa: S103 - to be walked through, not listed

    def _command(self) -> list[str]:
        """The template's command; in a private mount namespace that opens the way to Python
        where its folders lie below one that is closed to others (an environment in /root).
        """
        needed = [*python_paths(), inside_folder()]
        closed = sorted({c for c in map(first_closed, needed) if c is not None})
        command = start_command(inside_folder().parent)
        if not closed:
            return command
        self._stage = tempfile.mkdtemp(prefix="five-beats-stage-")
        hidden = [p for p in needed if any(p.is_relative_to(c) for c in closed)]
        links = [x for p in hidden if p.is_symlink() for x in (os.readlink(p), str(p))]
        hidden = [p for p in hidden if not p.is_symlink()]
        pairs = [x for i, p in enumerate(hidden) for x in (f"{self._stage}/{i}", str(p))]
        reopen = ["sh", "-ec", _REOPEN, "reopen", *map(str, closed), "--", *pairs]
        reopen += ["--", *links, "--", *command]
        return staged(self._stage, [str(p) for p in hidden], reopen)

    def _start(self) -> Template:
        control, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the template's, closed with it
        environment = {
            **ENVIRONMENT,
            "FIVE_BEATS_CONTROL": str(theirs.fileno()),
            "FIVE_BEATS_WALL": "uid",
            "FIVE_BEATS_SYSCALLS": syscalls.encoded(),
        }
        process = subprocess.Popen(
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs.fileno(),),
            env=environment,
            cwd="/",
        )
        theirs.close()
        return Template(process, control, log)

    def open(self, job: Job) -> TemplateBox:
        """A working folder that a fresh user owns, and a process to run the job in."""
        with self._lock:
            template = self._template = living(self._template, self._start)
            uid, claim = self._claim()
        home = tempfile.mkdtemp(dir=self._homes)
        os.chmod(home, 0o700)
        os.chown(home, uid, uid)
        readable = ["/proc", *SYSTEM, *map(str, python_paths()), str(inside_folder())]
        if job.data is not None:
            copy = self._readable(job.data.resolve())
            os.symlink(copy, os.path.join(home, "data"))
            readable.append(str(copy))
        message = {"home": home, "uid": uid, "readable": readable}
        return template.open(job, message, lambda: self._clean(home, uid, claim))

    def _claim(self) -> tuple[int, IO[bytes]]:
        """A user id that no other box on this machine has, and the open lock that keeps it so."""
        LOCKS.mkdir(mode=0o700, exist_ok=True)
        for uid in itertools.islice(self._uids, COUNT):
            claim = (LOCKS / str(uid)).open("wb")
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                claim.close()
            else:
                return uid, claim
        raise SandboxError(
            f"all {COUNT} user ids for boxes are taken", remedy="grade fewer at a time"
        )

    def _readable(self, data: Path) -> Path:
        """A copy of a prepared root where other users can read it, made once."""
        with self._lock:
            copy = Path(self._homes) / f"data-{data.name}"
            if not copy.exists():
                shutil.copytree(data, copy, copy_function=shutil.copyfile)
                for folder, _, names in os.walk(copy):
                    os.chmod(folder, 0o755)  # noqa: S103 - the public half of the data
                    for name in names:
                        os.chmod(os.path.join(folder, name), 0o644)
            return copy

    def _clean(self, home: str, uid: int, claim: IO[bytes]) -> None:
        shutil.rmtree(home, ignore_errors=True)
        for path in _owned(_SHARED, uid):
            with contextlib.suppress(OSError):
                path.unlink() if not path.is_dir() or path.is_symlink() else shutil.rmtree(path)
        claim.close()

    def close(self) -> None:
        """End the template."""
        if self._template is not None:
            self._template.close()
            self._template = None
        for folder in (self._homes, self._stage):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Uid:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _owned(folders: Iterable[str], uid: int) -> list[Path]:
    """What `uid` owns directly below `folders`."""
    found: list[Path] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            entries = list(os.scandir(folder))
            found += [Path(e.path) for e in entries if e.stat(follow_symlinks=False).st_uid == uid]
    return found
