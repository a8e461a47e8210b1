"""What one submission may use: how each limit is set, and how an excess of it is said.

    wall time            the supervisor's clocks: each run's, and all runs together; without the
                         time in which a run is ready and no processor is free (`monitor.Clock`)
    CPU time             RLIMIT_CPU, each process; SIGXCPU ends it; the watch, all together
    memory               RLIMIT_AS, each process; the watch, all of them together
    processes            the watch, threads counted; RLIMIT_NPROC a little above it, against
                         what comes and goes between two looks
    file size, files     RLIMIT_FSIZE, RLIMIT_NOFILE, each process
    disk                 the size of the places that can be written
    output, answers      counted by the watch as they arrive

Some of these the kernel enforces by refusing a call, which student code sees as an exception.
If it catches that and goes on, nothing is said: a program may well look for the end of its
disk. Where the exception ends its code, `Bounds.blame` traces it to the limit, so that the
status names that limit with its figure and not only the kernel's words. Sources: getrlimit(2),
fork(2), write(2), tmpfs(5).
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EFBIG, EMFILE, ENOSPC
from typing import Any

OPEN_FILES = 1024
HEADROOM = 8
"""Processes that may be started over the limit, so that the watch can see that it was passed."""
NO_ROOM = 2**20
"""Bytes: a disk with less than that is full, since the kernel takes larger pieces at a time."""
OURS = 2
"""The supervisor and the process that waits for it count for the same user."""
_NO_MEMORY = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")
_NO_PROCESS = "Resource temporarily unavailable"
_NO_THREAD = "can't start new thread"
_REFUSED = ("OSError", "BlockingIOError", "RuntimeError")
"""The types in which Python and torch report a refused call."""
_SHORT_WRITE = re.compile(
    r"inline_container\.cc|PytorchStreamWriter failed|requested and \d+ written"
)
"""What torch and numpy say of a write that ended early; neither tells why."""


def exceeded(limits: Mapping[str, Any]) -> dict[str, str]:
    """One sentence for each limit, with its figure, for whoever went over it."""
    return {
        "cpu": f"it used more than the {limits['cpu_s']:g} s of CPU time allowed",
        "whole": f"all its runs together took longer than the {limits['budget_s']:g} s allowed",
        "whole_cpu": (
            f"all its runs together used more than the {limits['budget_cpu_s']:g} s of CPU time "
            "allowed"
        ),
        "memory": f"it used more than the {limits['memory_mb']} MiB of memory allowed",
        "processes": f"it ran more than the {limits['processes']} processes and threads allowed",
        "file": f"it wrote a file of more than the {limits['file_mb']} MiB allowed",
        "open": f"it opened more than the {OPEN_FILES} files allowed at a time",
        "disk": f"it used more than the {limits['disk_mb']} MiB of disk allowed",
        "inodes": "it made more files than its disk holds",
    }


def limit(limits: Mapping[str, Any], *, counted: bool, gpu: bool) -> None:
    """Resource limits of one process that will run student code (getrlimit(2)).

    The address space is counted from what the warm template has mapped already, and not
    limited with a GPU: CUDA reserves far more of it than it uses. `counted`: no other box runs
    under the same user, whose processes the kernel would count together.
    """
    if not gpu:
        with open("/proc/self/statm") as f:
            mapped = int(f.read().split()[0]) * resource.getpagesize()
        memory = mapped + limits["memory_mb"] * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    cpu = max(1, round(limits["cpu_s"]))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    size = limits["file_mb"] * 2**20
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if counted:
        count = limits["processes"] + OURS + HEADROOM
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))


@dataclass(frozen=True)
class Bounds:
    """What a box's processes may use, as the process that ran into it can tell.

    `tasks` counts the box's processes and threads. `disk` are its places of bounded size: on
    any other disk there may be no room for reasons that are not the submission's.
    """

    limits: Mapping[str, Any]
    tasks: Callable[[], int]
    disk: tuple[str, ...] = ()

    def blame(self, kind: str, message: str) -> tuple[str, str] | None:
        """(status, sentence) of the limit that an exception of type `kind` stands for; None
        for one that stands for no limit.
        """
        said = exceeded(self.limits)
        if no_memory(kind, message):
            return "memory", said["memory"]
        if kind not in _REFUSED:
            return None
        if _NO_PROCESS in message or _NO_THREAD in message:
            if self.tasks() >= self.limits["processes"]:
                return "processes", said["processes"]
            # a thread that is refused below that number found no room for its stack
            return ("memory", said["memory"]) if _NO_THREAD in message else None
        if os.strerror(EMFILE) in message:
            return "files", said["open"]
        if os.strerror(EFBIG) in message:
            return "files", said["file"]
        full = self._full()
        if os.strerror(ENOSPC) in message:
            return ("disk", said[full]) if full else None
        if _SHORT_WRITE.search(message):
            return ("disk", said[full]) if full else ("files", said["file"])
        return None

    def _full(self) -> str | None:
        """`disk` where a bounded place has no room left, `inodes` where it takes no more files."""
        for place in self.disk:
            try:
                found = os.statvfs(place)
            except OSError:  # the submission has removed it
                continue
            if found.f_bavail * found.f_frsize < NO_ROOM:
                return "disk"
            if found.f_files and found.f_favail == 0:
                return "inodes"
        return None


def no_memory(kind: str, message: str) -> bool:
    """Whether an exception says that memory ran out, in Python's words or in torch's."""
    return kind == "MemoryError" or any(word in message for word in _NO_MEMORY)
