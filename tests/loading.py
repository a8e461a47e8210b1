"""A student's program loaded in a fork, for tests that look at what became of it."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What the template has imported already, so that no fork imports it anew.
import IPython.core.interactiveshell
import matplotlib.pyplot  # noqa: ICN001
import torch._dynamo
import torch.utils.data

from autograder.inside.program import Program

assert all((IPython, matplotlib, torch))

Look = Callable[[Program], Any]


def in_fork(program: Program, look: Look, home: Path, without: tuple[str, ...] = ()) -> Any:
    """Load `program` in a fork and return `look(program)`, with what was printed as file `out`.

    `without` are modules that are not installed in that fork, whatever is on this machine.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.chdir(home)
        warnings.resetwarnings()  # a box makes no errors of warnings
        for name in [m for m in sys.modules if m.partition(".")[0] in without]:
            del sys.modules[name]
        sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
        out = os.open("out", os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        try:
            program.load()
            said = {"value": look(program)}
        except BaseException as e:  # noqa: BLE001 - the parent asserts that there was none
            said = {"error": repr(e)}
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    raw = b"".join(iter(lambda: os.read(read, 65536), b""))
    os.close(read)
    os.waitpid(pid, 0)
    said = json.loads(raw)
    assert "error" not in said, said
    return said["value"]


def script(text: str) -> Program:
    return Program("script", "work.py", [text])


def notebook(*cells: str) -> Program:
    return Program("notebook", "work.ipynb", list(cells))
