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

An ended box is reaped at once, so that none waits as a zombie for the next.
It stays single-threaded (a fork in a process whose torch has started its thread pool hangs
at its first matrix product), and never touches an accelerator.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import signal
import socket
import sys
from typing import Any

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

    from . import answer, notebook_shell, simdevice, supervisor, torchvision_compat
    from . import probes as probes_package

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
    simdevice.prepare()
    used = (random, IPython, np, answer, notebook_shell, supervisor, torchvision)
    assert all(used)
    gc.collect()
    gc.freeze()


def _wall(kind: str, message: dict[str, Any], syscalls: bytes) -> seal.Wall:
    """Put the wall of `kind` around this process. Raises OSError where it cannot."""
    if kind == "namespaces":
        seal.enter(message["data"], message["disk_mb"], syscalls)
        seal.dumpable(yes=False)
        return seal.Wall(own_pids=True, counted=True)
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


def _box(
    message: dict[str, Any], box: socket.socket, kind: str, syscalls: bytes, groups: list[int]
) -> None:
    from .supervisor import Supervisor

    try:
        _enter(groups)
        wall = _wall(kind, message, syscalls)
    except OSError as e:
        wire.write(box.fileno(), wire.pack({"status": "broken", "detail": str(e)}))
        os._exit(71)
    Supervisor(box, wall).run()


def _reap(options: int) -> None:
    """Collect boxes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            continue


def _handed_on(ahead: socket.socket, text: bytes, fds: list[int]) -> bool:
    """Whether the child that waits took the box; it has entered its groups already."""
    with ahead, contextlib.suppress(BrokenPipeError):
        socket.send_fds(ahead, [text], fds[:1])
        return True
    return False


def main() -> None:
    """Warm up, say so, and fork until the host closes the control socket.

    In a container there is one box only: the socket it finds at `FIVE_BEATS_CONTROL` is the
    box's own, and this process becomes its supervisor.
    """
    where, kind = os.environ.pop("FIVE_BEATS_CONTROL"), os.environ.pop("FIVE_BEATS_WALL")
    syscalls = base64.b64decode(os.environ.pop("FIVE_BEATS_SYSCALLS", ""))
    warm()
    if kind == "container":
        box = socket.socket(socket.AF_UNIX)
        box.connect(where)
        box.sendall(b"warm")
        _box({"home": seal.HOME}, box, kind, syscalls, [])
    control = socket.socket(fileno=int(where))
    control.sendall(b"warm")
    signal.signal(signal.SIGCHLD, lambda *_: _reap(os.WNOHANG))
    waiting: list[socket.socket] = []
    while True:
        text, fds, _, _ = socket.recv_fds(control, 4096, 1 + GROUPS)
        if not text:
            for ahead in waiting:
                ahead.close()
            _reap(0)  # boxes end as the host hangs up; their CPU time is then counted here
            return
        message = json.loads(text)
        if not (message.get("waiting") and _handed_on(waiting.pop(0), text, fds)):
            ours, theirs = socket.socketpair()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for held in (control, ours, *waiting):
                    held.close()
                if message.get("wait"):
                    _enter(fds)
                    text, fds, _, _ = socket.recv_fds(theirs, 4096, 1)
                    if not text:  # the host has hung up
                        os._exit(0)
                theirs.close()
                _box(json.loads(text), socket.socket(fileno=fds[0]), kind, syscalls, fds[1:])
                os._exit(0)
            theirs.close()
            if message.get("wait"):
                waiting.append(ours)
            else:
                ours.close()
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    main()
