"""No point is lost to a busy machine: what met a clock there runs once more, alone.

Theory. A run's clock stands still while it waits for a processor (`inside.box.monitor.Clock`), but
only for so long, and a machine can be slow in other ways: it swaps, its disk is shared, or its
kernel does not tell who waits. So work that met a clock although it had little of a processor is
graded again, once, while nothing else of the class runs; that second grading counts, whatever it
finds. Nobody else's is repeated: a program that used its time computes too long on any machine,
and on a machine with processors to spare a clock is fair.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..model import Graded, Usage

SHARE = 0.8
"""Of the time that a run's clock counted, what it must have computed for the clock to be fair."""


def is_busy() -> bool:
    """Whether more processes want to run on this machine than it has processors, on the average of
    the last minute (getloadavg(3)).
    """
    ours = getattr(os, "sched_getaffinity", None)  # Linux alone tells what is ours
    processors = len(ours(0)) if ours is not None else os.cpu_count() or 1
    return os.getloadavg()[0] > processors


def is_starved(graded: Graded) -> bool:
    """Whether a run met its clock and had little of a processor meanwhile."""
    ran = [(graded.load.status, graded.load.usage)]
    ran += [(e.status, e.usage) for e in graded.evidence.values()]
    return any(status == "timeout" and _is_idle(usage) for status, usage in ran)


def _is_idle(usage: Usage) -> bool:
    return usage.cpu_s < SHARE * (usage.wall_s - usage.waited_s)


class Turns:
    """Gradings beside one another, and those that must be alone. Thread-safe.

    `again` counts those that were repeated. `busy` tells whether the machine is; once `stop` is
    set, nothing is repeated.
    """

    def __init__(self, stop: threading.Event, busy: Callable[[], bool] | None = None) -> None:
        self.stop, self.busy = stop, busy or is_busy
        self.again = 0
        self._change = threading.Condition()
        self._running = 0
        self._wanted = 0

    def grade(self, grade: Callable[[], Graded]) -> Graded:
        """What `grade` gives; once more, alone, where a busy machine had a part in it."""
        with self._beside():
            graded = grade()
        if not is_starved(graded) or self.stop.is_set() or not self.busy():
            return graded
        with self._alone():
            if self.stop.is_set():
                return graded
            self.again += 1
            return grade()

    @contextmanager
    def _beside(self) -> Iterator[None]:
        with self._change:
            self._change.wait_for(lambda: self._wanted == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._change:
                self._running -= 1
                self._change.notify_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._change:
            self._wanted += 1  # from here on nobody begins
            self._change.wait_for(lambda: self._running == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._change:
                self._running -= 1
                self._wanted -= 1
                self._change.notify_all()
