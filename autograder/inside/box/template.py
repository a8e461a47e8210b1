"""The warm template: imports what a submission will import, then forks one child per box.

Started by a backend with a control socket as descriptor `FIVE_BEATS_CONTROL`, the wall to
put around each box in `FIVE_BEATS_WALL` (`namespaces`, `container`, `uid`, `none`), and the
system-call filter in `FIVE_BEATS_SYSCALLS` (base64). Each message on the control socket
carries the socket of a new box, then descriptors of `cgroup.procs` files into which the box
must write itself, if any, and as text the JSON
`{"data": folder below SHELF or null, "disk_mb": n}` for namespaces, `{"home": folder}` else,
with `"uid": n` for uid. The template holds no secret: it never reads a box's socket.

A message `{"wait": true}` with descriptors of groups alone asks for a child ahead of its box: to
enter a group takes the kernel as long as everything else together, since all processors must
have passed a point at rest first. It waits for a later message, with `"waiting": true`, that is
handed on to it; should somebody have killed it, another is forked into the same groups.

In a room with user ids to spare each box gets two of them in turn (`seal.Ids`), which the template
maps as soon as the child has its user namespace. Whatever goes wrong with one box is told to that
box: the template lives on.

An ended box is reaped at once, so that none waits as a zombie for the next.
It stays single-threaded (a fork in a process whose torch has started its thread pool hangs
at its first matrix product), and never touches an accelerator.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import itertools
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from . import seal, wire

GROUPS = 2
"""Control groups of a box, at most."""


def warm() -> None:
    """Import what assignments use, so that every child has it for nothing."""
    import random

    import IPython.core.interactiveshell
    import matplotlib.pyplot as plt
    import numpy as np
    import torch
    import torch._dynamo
    import torch.utils.data
    from torch import nn

    from .. import notebook_shell, torchvision_compat
    from .. import probes as probes_package
    from ..accelerator import simulation
    from . import answer, supervisor

    torch.set_num_threads(1)
    torchvision_compat.declare()
    import torchvision

    net = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(net.parameters())
    torch.autograd.backward(
        nn.functional.cross_entropy(net(torch.ones(2, 2)), torch.tensor([0, 1]))
    )
    optimizer.step()
    plt.close(plt.figure())
    probes_package.warm()
    simulation.prepare()
    used = (random, IPython, np, answer, notebook_shell, supervisor, torchvision)
    assert all(used)
    gc.collect()
    gc.freeze()


def _wall(
    kind: str, message: dict[str, Any], syscalls: bytes, *, mapped: bool = False
) -> seal.Wall:
    """Put the wall of `kind` around this process. Raises OSError where it cannot."""
    if kind == "namespaces":
        seal.enter(message["data"], message["disk_mb"], syscalls, mapped=mapped)
        seal.dumpable(yes=False)
        return seal.Wall(own_pids=True, counted=True, uid=seal.STUDENT if mapped else None)
    os.chdir(message["home"])
    if kind == "container":
        if os.path.isdir(seal.SHELF):
            os.symlink(seal.SHELF, "data")
        seal.confine(syscalls)
        seal.dumpable(yes=False)
        return seal.Wall(own_pids=True, counted=False)
    if sys.platform == "linux":
        seal.adopt_orphans()
    if kind == "uid":
        readable = tuple(message["readable"])
        return seal.Wall(
            own_pids=False, counted=True, uid=message["uid"], syscalls=syscalls, readable=readable
        )
    return seal.Wall(own_pids=False, counted=False)


def _enter(groups: list[int]) -> None:
    for group in groups:
        os.write(group, b"0")  # whoever writes it
        os.close(group)


def _box(box: socket.socket, wall: Callable[[], seal.Wall]) -> NoReturn:
    """Seal this process and be the supervisor of `box` to its end."""
    from .supervisor import Supervisor

    try:
        built = wall()
    except OSError as e:
        _broken(box, str(e))
        os._exit(71)
    Supervisor(box, built).run()


def _broken(box: socket.socket, why: str) -> None:
    """Tell the host that this box cannot be made."""
    with contextlib.suppress(OSError):
        wire.write(box.fileno(), wire.pack({"status": "broken", "detail": why}))


def _reap(options: int) -> None:
    """Collect boxes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            continue


def _handed_on(ahead: socket.socket, text: bytes, fds: list[int]) -> bool:
    """Whether the child that waits took the box; it has entered its groups already."""
    with ahead, contextlib.suppress(OSError):
        socket.send_fds(ahead, [text], fds[:1])
        return True
    return False


class Room:
    """The template's work: one child for each box that the host asks for."""

    def __init__(self, control: socket.socket, kind: str, syscalls: bytes) -> None:
        self.control, self.kind, self.syscalls = control, kind, syscalls
        self.waiting: list[socket.socket] = []
        self.spare = seal.spare_ids() if kind == "namespaces" else range(0)
        # two rooms of one machine should not begin with the same
        self.boxes = itertools.count(int.from_bytes(os.urandom(4)))

    def serve(self) -> None:
        """Until the host closes the control socket."""
        while True:
            text, fds, _, _ = socket.recv_fds(self.control, 4096, 1 + GROUPS)
            if not text:
                break
            message = json.loads(text)
            try:
                self._take(message, text, fds)
            except OSError as e:  # no process could be forked
                if not message.get("wait"):
                    with socket.socket(fileno=os.dup(fds[0])) as box:
                        _broken(box, str(e))
            for fd in fds:
                os.close(fd)
        for ahead in self.waiting:
            ahead.close()

    def _ids(self) -> seal.Ids | None:
        """The user ids of the next box, None where there are none to give."""
        if len(self.spare) < 2:
            return None
        first = self.spare[next(self.boxes) % (len(self.spare) // 2) * 2]
        return seal.Ids(first, first + 1)

    def _take(self, message: dict[str, Any], text: bytes, fds: list[int]) -> None:
        """Do what a message asks for. Raises OSError where no child can be forked."""
        ahead = self.waiting.pop(0) if message.get("waiting") and self.waiting else None
        if ahead is not None and _handed_on(ahead, text, fds):
            return
        ours, theirs = socket.socketpair()
        ids = self._ids()
        with theirs:
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for held in (self.control, ours, *self.waiting):
                    held.close()
                self._child(message, fds, theirs, ids)
        with contextlib.suppress(OSError):  # a child that has ended, or misses it, says so itself
            if ids is not None and ours.recv(1):
                seal.map_ids(pid, ids)
                ours.send(b"m")
        if message.get("wait"):
            self.waiting.append(ours)
        else:
            ours.close()

    def _child(
        self, message: dict[str, Any], fds: list[int], line: socket.socket, ids: seal.Ids | None
    ) -> NoReturn:
        """In a child: into its namespaces and groups, then be the box that was asked for or, with
        `wait`, that a later message asks for.
        """
        failed: OSError | None = None
        ahead = message.get("wait")
        try:
            if self.kind == "namespaces":
                seal.new_namespaces(mapped=ids is not None)
                if ids is not None:
                    line.send(b"n")
                    if not line.recv(1):
                        raise OSError("the user ids of the box could not be mapped")
            for group in fds if ahead else fds[1:]:
                os.write(group, b"0")  # whoever writes it
                os.close(group)
        except OSError as e:
            failed = e
        if ahead:
            text, fds, _, _ = socket.recv_fds(line, 4096, 1)
            if not text:  # the host has hung up
                os._exit(0)
            message = json.loads(text)
        line.close()

        def wall() -> seal.Wall:
            if failed is not None:
                raise failed
            return _wall(self.kind, message, self.syscalls, mapped=ids is not None)

        _box(socket.socket(fileno=fds[0]), wall)


def main() -> None:
    """Warm up, say so, and fork until the host closes the control socket.

    In a container there is one box only: the socket it finds at `FIVE_BEATS_CONTROL` is the
    box's own, and this process becomes its supervisor.
    """
    where, kind = os.environ.pop("FIVE_BEATS_CONTROL"), os.environ.pop("FIVE_BEATS_WALL")
    syscalls = base64.b64decode(os.environ.pop("FIVE_BEATS_SYSCALLS", ""))
    warm()
    # files in flight are counted for a whole user and held against the limit of whoever sends some:
    # so that of ours is the larger one
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if kind == "container":
        box = socket.socket(socket.AF_UNIX)
        box.connect(where)
        box.sendall(b"warm")
        _box(box, lambda: _wall(kind, {"home": seal.HOME}, syscalls))
    control = socket.socket(fileno=int(where))
    control.sendall(b"warm")
    signal.signal(signal.SIGCHLD, lambda *_: _reap(os.WNOHANG))
    Room(control, kind, syscalls).serve()
    _reap(0)  # boxes end as the host hangs up; their CPU time is then counted here


if __name__ == "__main__":
    main()
