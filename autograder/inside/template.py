"""The warm template: imports what a submission will import, then forks one child per box.

Started inside the outer sandbox with a control socket as descriptor `FIVE_BEATS_CONTROL`.
Each message on it carries one descriptor, the socket of a new box, and as text the JSON
`{"data": folder below SHELF or null, "home": folder (unsealed only), "disk_mb": n}`. The
template holds no secret: it never reads a box's socket.

It stays single-threaded (a fork in a process whose torch has started its thread pool hangs
at its first matrix product), and never touches an accelerator.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import sys


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

    from . import answer, notebook_shell, supervisor, torchvision_compat
    from . import probes as probes_package

    torch.set_num_threads(1)
    torchvision_compat.declare()
    import torchvision

    net = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(net.parameters())
    torch.autograd.backward(nn.functional.cross_entropy(net(torch.ones(2, 2)), torch.tensor([0, 1])))
    optimizer.step()
    plt.close(plt.figure())
    probes_package.warm()
    used = (random, IPython, np, answer, notebook_shell, supervisor, torchvision)
    assert all(used)
    gc.collect()
    gc.freeze()


def _child(message: dict[str, object], box: socket.socket, sealed: bool, syscalls: bytes) -> None:
    from . import seal
    from .supervisor import Supervisor

    try:
        if sealed:
            data = message["data"]
            seal.enter(None if data is None else str(data), int(str(message["disk_mb"])), syscalls)
            seal.dumpable(False)
        else:
            os.chdir(str(message["home"]))
            if sys.platform == "linux":
                seal.adopt_orphans()
    except OSError as e:
        from . import wire

        wire.write(box.fileno(), wire.pack({"status": "broken", "detail": str(e)}))
        os._exit(71)
    Supervisor(box, sealed).run()


def _reap(options: int) -> None:
    """Collect boxes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            continue


def main() -> None:
    """Warm up, say so, and fork until the host closes the control socket."""
    control = socket.socket(fileno=int(os.environ.pop("FIVE_BEATS_CONTROL")))
    sealed = os.environ.pop("FIVE_BEATS_SEALED") == "1"
    syscalls = b""
    if sealed:
        fd = int(os.environ.pop("FIVE_BEATS_SYSCALLS"))
        with os.fdopen(fd, "rb") as f:
            syscalls = f.read()
    warm()
    control.sendall(b"warm")
    while True:
        text, fds, _, _ = socket.recv_fds(control, 4096, 1)
        _reap(os.WNOHANG)
        if not text:
            _reap(0)  # boxes end as the host hangs up; their CPU time is then counted here
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _child(json.loads(text), socket.socket(fileno=fds[0]), sealed, syscalls)
            os._exit(0)
        os.close(fds[0])


if __name__ == "__main__":
    main()
