"""A control group for each box, where there can be one: what all its processes use together.

    version 1    below our own groups of the controllers `memory` and `pids`; usually takes root
    version 2    beside our own group (or in it, where it holds no process), if both controllers
                 are handed down there: as root, or where systemd has delegated it

    <there>/five-beats-<pid of the grader>/<number of the box>

Theory. The supervisor weighs a box ten times a second; what is allocated between two looks only
the kernel sees. The group is that backstop: the memory allowed, with what the box's disks may
hold (they are memory, too) and some room for the supervisor. When it is reached the kernel
kills a process, and counts that here; so a box that ended under such a kill ran out of memory,
which is the submission's doing, and did not fail us. The host opens `cgroup.procs` and the child
writes itself in through that descriptor before it seals itself, so that nothing of the student's
ever ran outside. Where no group can be made, limits hold for each process, with the watch for
the sum. Sources: cgroups(7), the kernel's admin-guide/cgroup-v1 and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import SandboxError
from ..model import Limits

NAME = "five-beats-"
DISKS = 3
"""Places of bounded size that a box may fill, each of them memory: home, /tmp, /dev/shm."""
ROOM_MB = 256
SPARE = 10
"""Processes over the limit: two are ours, and the watch must see that the limit was passed."""
LEAVE_S = 5.0
_MOUNTS, _OURS = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Controller:
    """Where the boxes' groups of one controller go, under which version."""

    name: str
    place: Path
    version: int


class Group:
    """One box's group, in one folder for each controller (all the same under version 2)."""

    def __init__(self, folders: Mapping[str, Path], version: int) -> None:
        self.folders = folders
        self.version = version

    def limit(self, limits: Limits) -> None:
        """Set what the box may use. Raises `SandboxError` where that cannot be set."""
        try:
            self._limit(limits)
        except OSError as e:
            raise SandboxError(f"the control group of a box cannot be limited: {e}") from e

    def _limit(self, limits: Limits) -> None:
        memory = (limits.memory_mb + DISKS * limits.disk_mb + ROOM_MB) << 20
        if "memory" in self.folders:
            word = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
            (self.folders["memory"] / word).write_text(str(memory))
            swap = self.folders["memory"] / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
        if "pids" in self.folders:
            (self.folders["pids"] / "pids.max").write_text(str(limits.processes + SPARE))

    @contextmanager
    def doors(self) -> Iterator[list[int]]:
        """Descriptors through which a process can write itself in, whoever it is."""
        with contextlib.ExitStack() as held:
            yield [
                held.enter_context((folder / "cgroup.procs").open("wb", 0)).fileno()
                for folder in set(self.folders.values())
            ]

    def killed(self) -> int:
        """How often the kernel killed a process here for want of memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return self._count("memory", name, "oom_kill")

    def refused(self) -> int:
        """How often a process or thread was refused here."""
        return self._count("pids", "pids.events", "max")

    def _count(self, controller: str, name: str, word: str) -> int:
        if controller not in self.folders:
            return 0
        try:
            lines = (self.folders[controller] / name).read_text().splitlines()
        except OSError:
            return 0
        return next((int(n) for w, n in map(str.split, lines) if w == word), 0)

    def kill(self) -> None:
        """End every process that is left in it."""
        for folder in set(self.folders.values()):
            with contextlib.suppress(OSError, ValueError):
                for pid in map(int, (folder / "cgroup.procs").read_text().split()):
                    if pid > 0:  # 0 stands for one that cannot be seen from here
                        os.kill(pid, signal.SIGKILL)

    def remove(self) -> bool:
        """Remove it; False while processes are left in it."""
        for folder in set(self.folders.values()):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True


class Groups:
    """Makes groups for the boxes of this process. Thread-safe; close it when the last box is."""

    def __init__(self, controllers: tuple[Controller, ...]) -> None:
        self.version = controllers[0].version
        self.names = tuple(c.name for c in controllers)
        self._places = {c.name: c.place / f"{NAME}{os.getpid()}" for c in controllers}
        self._number = itertools.count(1)
        self._ending: list[Group] = []
        self._lock = threading.Lock()
        for place in dict.fromkeys(self._places.values()):
            _sweep(place.parent)
            place.mkdir(exist_ok=True)  # of two sandboxes of one process
            if self.version == 2:
                (place / "cgroup.subtree_control").write_text("+memory +pids")

    def make(self) -> Group:
        """A new group, without a limit yet. Raises `SandboxError` where it cannot be made."""
        self._retire()
        number = f"{next(self._number)}-{id(self):x}"
        group = Group({n: p / number for n, p in self._places.items()}, self.version)
        try:
            for folder in dict.fromkeys(group.folders.values()):
                folder.mkdir()
        except OSError as e:
            group.remove()
            raise SandboxError(f"no control group can be made for a box: {e}") from e
        return group

    def end(self, group: Group) -> None:
        """Remove a box's group, now or when its last process is gone."""
        with self._lock:
            self._ending.append(group)
        self._retire()

    def _retire(self) -> None:
        with self._lock:
            self._ending = [g for g in self._ending if not g.remove()]

    def close(self) -> None:
        """Remove every group, and end what may still be in one."""
        end = time.monotonic() + LEAVE_S
        while self._ending and time.monotonic() < end:
            self._retire()
            time.sleep(0.01)
        for group in self._ending:
            group.kill()
        self._retire()
        for place in set(self._places.values()):
            with contextlib.suppress(OSError):  # another sandbox of this process has boxes in it
                place.rmdir()


def available() -> Groups | None:
    """A maker of groups, tried with a process of another user; None where none can be made."""
    for controllers in (_first_version(), *_second_version()):
        if not controllers:
            continue
        try:
            groups = Groups(controllers)
        except OSError:
            continue
        if _works(groups):
            return groups
        groups.close()
    return None


def _works(groups: Groups) -> bool:
    """Whether somebody who may do nothing here can be put into a group of ours."""
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    try:
        group = groups.make()
        group.limit(Limits())
        with group.doors() as doors:
            for door in doors:  # "0" is whoever writes it
                subprocess.run(["printf", "0"], stdout=door, check=True, **nobody)  # type: ignore[call-overload]
    except (SandboxError, OSError, subprocess.CalledProcessError):
        return False
    finally:
        groups.end(group)
    return True


def _first_version() -> tuple[Controller, ...]:
    """Our own groups under version 1."""
    ours = {}
    for line in _lines(_OURS):
        _, names, path = line.split(":", 2)
        ours.update({n: path for n in names.split(",") if n in ("memory", "pids")})
    found = []
    for root, mounted, kind, options in _mounts():
        found += [
            Controller(name, _below(root, mounted, path), 1)
            for name, path in ours.items()
            if kind == "cgroup" and name in options
        ]
    return tuple(sorted({c.name: c for c in found}.values(), key=lambda c: c.name))


def _second_version() -> Iterator[tuple[Controller, ...]]:
    """Beside our own group under version 2, or in it."""
    path = next((line[3:] for line in _lines(_OURS) if line.startswith("0::")), None)
    for root, mounted, kind, _ in _mounts():
        if kind == "cgroup2" and path is not None:
            own = _below(root, mounted, path)
            for place in (own.parent, own) if own != Path(mounted) else (own,):
                handed = _lines(place / "cgroup.subtree_control")
                if {"memory", "pids"} <= set(" ".join(handed).split()):
                    yield tuple(Controller(name, place, 2) for name in ("memory", "pids"))


def _mounts() -> Iterator[tuple[str, str, str, list[str]]]:
    """(root, mount point, type, options of the file system) of every mount."""
    for line in _lines(_MOUNTS):
        left, _, right = line.partition(" - ")
        yield left.split()[3], left.split()[4], right.split()[0], right.split()[2].split(",")


def _below(root: str, mounted: str, path: str) -> Path:
    """Where a group's path is to be found, below a mount that shows the tree from `root` on."""
    inner = os.path.relpath(path, root)
    return Path(mounted) if inner.startswith("..") else Path(mounted, inner)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _sweep(place: Path) -> None:
    """Remove what graders that were killed have left; a group with processes in it stays."""
    for left in place.glob(f"{NAME}*"):
        if not Path("/proc", left.name.removeprefix(NAME)).exists():
            with contextlib.suppress(OSError):
                for box in left.iterdir():
                    if box.is_dir():
                        box.rmdir()
                left.rmdir()
