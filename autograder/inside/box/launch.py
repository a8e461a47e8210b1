"""How a process of the submission comes to be: forked, sealed, and only then the student's.

    supervisor                                child
    pipe, pipe, pipe; fork           ------>  new group, own streams, no other descriptors
    wait for the word on the third pipe       limits, another user, Landlock, filter
                                              whatever of ours comes first (the recorder)
       "ready", or what went wrong   <------  say so, close that pipe
    watch it                                  student code

Theory. Until the child has said that it is ready, not one line of the student's has run in it,
so whatever ends it before is the grader's fault or the machine's, and no crash of the
student's program. After that nobody listens on that pipe any more, so the word cannot be
taken back: student code cannot turn its own crash into our fault. What the submission left running
may stop the child meanwhile, or hold the pipe open: the wait has an end, and the supervisor then
rules that out by ending all of it.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import torch

SEED = 20_250
"""Every process starts from this seed, so that a program that never seeds is repeatable."""
READY = b"ready"
WORD_CAP = 512
START_S = 60.0
"""How long a child may take to be ready. It takes a few milliseconds; a machine may be busy."""

Body = Callable[[int], None]
"""What runs the student's code, and answers on the descriptor it is given."""


class NotReadyError(OSError):
    """A child ended, or could not be made, before any student code ran in it."""


@dataclass(frozen=True)
class Child:
    """A process in which student code runs: its pid, and what it answers and prints on."""

    pid: int
    frames: int
    output: int


def become_student(keep: tuple[int, ...], output: int) -> None:
    """In a freshly forked process: own group, no inherited descriptors but `keep`, own seed."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    kept = sorted({0, 1, 2, *keep})
    for low, high in zip(kept, [*kept[1:], 4096], strict=True):
        os.closerange(low + 1, high)
    # ruff: noqa: SIM115 - the process's own streams live as long as it does
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
    reseed()


def reseed(seed: int = SEED) -> None:
    """Start every stream that student code draws from, so that each run of it draws the same."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the stream that student code draws from
    torch.manual_seed(seed)


def launch(
    confine: Callable[[], None],
    prepare: Callable[[], Body],
    keep: tuple[int, ...] = (),
    patience_s: float = START_S,
) -> Child:
    """Fork a process, `confine` it, `prepare` what it will do, and let that run.

    Returns once student code may run. Raises `NotReadyError` with the reason where the child
    has not got so far within `patience_s`, and `OSError` where it could not even be forked.
    """
    pipes: list[tuple[int, int]] = []
    try:
        while len(pipes) < 3:
            pipes.append(os.pipe())  # one by one, so that a failure closes those before it
        pid = os.fork()
    except OSError:
        for pair in pipes:
            _close(*pair)
        raise
    (frames, frames_in), (output, output_in), (told, ready) = pipes
    if pid == 0:
        _live(confine, prepare, (frames_in, ready, *keep), output_in)
    _close(frames_in, output_in, ready)
    said = _word(told, patience_s)
    _close(told)
    if said != READY:
        _close(frames, output)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # it may only be late
        why = (
            f"it was not ready within {patience_s:g} s"
            if said is None
            else said.decode("utf-8", "replace")
        )
        raise NotReadyError(why or "it ended without a word")
    return Child(pid, frames, output)


def _word(told: int, patience_s: float) -> bytes | None:
    """What the child says of itself: `READY`, or why it is not; None where it says nothing in time.

    A stranger may hold the other end open, or take a byte away, so neither the end of the stream
    nor a byte that was announced is waited for.
    """
    os.set_blocking(told, False)
    end = time.monotonic() + patience_s
    poll = select.poll()
    poll.register(told, select.POLLIN)
    said = b""
    while said != READY and len(said) < WORD_CAP:
        left = end - time.monotonic()
        if left <= 0:
            return None
        poll.poll(left * 1000)
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(told, WORD_CAP)
            if not chunk:
                break
            said += chunk
    return said


def _live(
    confine: Callable[[], None], prepare: Callable[[], Body], keep: tuple[int, ...], output: int
) -> NoReturn:
    frames, ready = keep[:2]
    begun, code = False, 70
    try:
        become_student(keep, output)
        confine()
        body = prepare()
        os.write(ready, READY)
        os.close(ready)
        begun = True
        body(frames)
        code = 0
    except BaseException as e:
        if begun:
            traceback.print_exc()
        else:
            with contextlib.suppress(OSError):  # nobody listens any more
                os.write(ready, f"{type(e).__name__}: {e}"[:500].encode())
    finally:
        os._exit(code)


def _close(*descriptors: int) -> None:
    for fd in descriptors:
        os.close(fd)
