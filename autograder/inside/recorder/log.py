"""The log of a run: events in the order they happened, and when to look closely.

Theory. What a training loop does repeats itself, so a log need not hold all of it. The log looks
closely at the first calls from each place of the program, at the first few of each pass over the
data, and only counts the rest. That keeps a full run's cost low and its record small.

    look      a unit of attention: it begins with the first forward call of a model after a
              backward pass or an update (or, in a program that calls no model, with a backward
              pass) and lasts until the next one begins; without gradients each call is a unit
    cut       stands in the log where looks were skipped: what lies before and after it are not
              neighbours
    place     the line of the program's own code from which something was called

An event is a small dictionary of plain values: `k` its kind, `at` the index of its place, `p` the
pass over a loader that it happened in (-1 for none), and what its observer adds. Observers may
fill in a field later, when they learn it. All of it is testimony: the program shares this process.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from ..program import Program
from .hooks import After, Before, Placed, Raised, aside, watch
from .light import plain
from .optimizers import Optimizers
from .tensors import parameters

EVENTS_CAP = 8_000
PLACES_CAP, MODELS_CAP, FAULTS_CAP, WINDOWS_CAP = 400, 24, 20, 4_000
UNIT_CALLS = 64
"""How many forward calls make a unit at most, as of a recurrent cell called step by step."""
_ASKING = ("locals", "vars", "dir", "eval", "exec")
"""Who calls one of these may hold the very dictionary in which Python keeps a frame's names."""

Event = dict[str, Any]


class Looks(NamedTuple):
    """How closely a run is looked at. Of the calls from one place: the `first` so many; of those
    that follow, `more` at the start of each stretch (a pass over a loader, or, without loaders,
    each time that training follows evaluation or the other way round); `most` in all.
    """

    first: int = 48
    more: int = 4
    most: int = 320


CLOSELY = Looks()


class Observer(Protocol):
    """One kind of thing to watch. Built with the `Flight` it reports to."""

    name: str

    def install(self) -> None:
        """Put the hooks in place, before the program runs."""

    def report(self) -> dict[str, Any]:
        """What was learnt beside the events, as JSON; after the program ran."""


def finite(value: Any) -> Any:
    """JSON with every number that is none ("nan", "inf") in words, whoever wrote it down: one such
    number would make the whole record unreadable.
    """
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


class Flight:
    """One run's log.

    `step` counts optimizer steps (or, by hand, backward passes), `close` says whether this moment
    is looked at closely, `current_pass` is the index of the pass being made over a loader, or -1,
    `differentiating` whether a backward pass is under way; `others` modules with parameters that
    are no models, as a loss; `unused` the backward passes since the last update, `windows` how many
    each update rested on, in order, a negative number of those that were cleared away without one,
    `thrown_at` where that was first done; `called` the module that was last called from outside;
    `frozen` the ids of parameters of `models` that took no gradient when their model was first met.
    """

    def __init__(self, program: Program, looks: Looks = CLOSELY) -> None:
        self.program = program
        self.looks = looks
        self.placed = Placed()
        self.called: nn.Module | None = None
        self.events: list[Event] = []
        self.places: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.models: list[nn.Module] = []
        self.others: list[nn.Module] = []
        self.frozen: set[int] = set()
        self.optimizers = Optimizers()
        self.faults: list[str] = []
        self.observers: list[Observer] = []
        self.listeners: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        self.close = True
        self.current_pass = -1
        self.differentiating = False
        self.step = 0
        self.unused = 0
        self.windows: list[int] = []
        self.thrown_at = -1
        self._scaled: tuple[weakref.ref[torch.Tensor], float] | None = None
        self._place_of: dict[tuple[str, int, str], int] = {}
        self._looks: Counter[Any] = Counter()
        self._extra: Counter[int] = Counter()
        self._stretch: tuple[int, bool] = (-1, True)
        self._stretches = 0
        self._unit = 0
        self._home = os.getcwd() + os.sep

    def watch(
        self,
        owner: Any,
        name: str,
        before: Before | None = None,
        after: After | None = None,
        raised: Raised | None = None,
        once: Mapping[str, int] | None = None,
    ) -> None:
        """Watch `owner.name`; see `hooks.watch`."""
        watch(owner, name, self.fault, before, after, raised, once, self.placed)

    def aside(self, observe: Callable[..., Any], *args: Any) -> Any:
        """Call an observer out of the program's sight; see `hooks.aside`."""
        return aside(self.fault, observe, *args)

    def tell(self, what: str, value: Any) -> None:
        """Call who listens: to an "output" of a model, a "batch" handed out, a pass over a loader
        "begun" or "ended" (its index), close look or not, so be quick; and, looking closely, to
        what has "entered" a model (its event and first input) and to each module that was "called"
        with a graph (and its output).
        """
        for listener in self.listeners.get(what, ()):
            self.aside(listener, value)

    def fault(self, error: BaseException) -> None:
        """An observer's own failure: noted, so that silence is not taken for innocence."""
        if len(self.faults) < FAULTS_CAP:
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            line = trace.tb_lineno if trace is not None else 0
            name = os.path.basename(trace.tb_frame.f_code.co_filename) if trace is not None else ""
            fault = f"{type(error).__name__}: {str(error)[:200]} ({name}:{line})"
            if fault not in self.faults:
                self.faults.append(fault)

    def own(self, frame: FrameType) -> bool:
        """Whether a frame runs the program's own code: its file, or a module beside it."""
        file = frame.f_code.co_filename
        return file in self.program.files or file.startswith(self._home)

    def frames(self) -> Iterator[FrameType]:
        """The frames of the program's code now running, innermost first."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who called
        while frame is not None:
            if self.own(frame):
                yield frame
            frame = frame.f_back

    def scopes(self) -> Iterator[dict[str, Any]]:
        """The names in reach of the program's code now running, innermost first."""
        yield from map(names_of, self.frames())

    def sources(self) -> list[str]:
        """The text of the program, and of each module beside it that was imported."""
        found = list(self.program.cells)
        for module in list(sys.modules.values()):
            file = str(getattr(module, "__file__", None) or "")
            if file.startswith(self._home) and file.endswith(".py"):
                with contextlib.suppress(OSError, UnicodeDecodeError), open(file) as stream:
                    found.append(stream.read())
        return found

    def place(self) -> int:
        """The index of the innermost line of the program's own code now running; -1 for none."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the cheapest way to a line
        files, home = self.program.files, self._home
        while frame is not None:
            file = frame.f_code.co_filename
            if file in files or file.startswith(home):
                key = (file, frame.f_lineno, frame.f_code.co_name)
                found = self._place_of.get(key)
                if found is None:
                    if len(self.places) >= PLACES_CAP:
                        return -1
                    found = self._place_of[key] = len(self.places)
                    self.places.append(
                        {
                            "line": frame.f_lineno,
                            "cell": self.program.files.get(file),
                            "file": "" if file in files else file[len(home) :][-80:],
                            "function": frame.f_code.co_name[:80],
                        }
                    )
                return found
            frame = frame.f_back
        return -1

    def look(self) -> int:
        """A forward call (or a backward pass by itself) begins: decide, where it opens a new unit
        of attention, whether that is looked at closely. Returns its place.
        """
        at = self.place()
        learning = torch.is_grad_enabled()
        stretch = (self.current_pass, learning)
        if stretch != self._stretch:
            self._stretch = stretch
            self._stretches += 1
        elif learning and 0 < self._unit < UNIT_CALLS:
            self._unit += 1
            return at
        self._unit = 1
        self._looks[at] += 1
        self._looks[at, self._stretches] += 1
        close = self._looks[at] <= self.looks.first
        if not close and self._looks[at, self._stretches] <= self.looks.more:
            self._extra[at] += 1
            close = self._extra[at] <= self.looks.most - self.looks.first
        if not close and self.close:
            self.add("cut", at)
        self.close = close and len(self.events) < EVENTS_CAP
        return at

    def used(self) -> None:
        """An update was made of the gradients that lay there."""
        self._window(self.unused)

    def thrown_away(self) -> None:
        """The gradients that lay there were cleared away before any update."""
        if self.thrown_at < 0:
            self.thrown_at = self.place()
        self._window(-self.unused)

    def _window(self, passes: int) -> None:
        if passes and len(self.windows) < WINDOWS_CAP:
            self.windows.append(passes)
        self.unused = 0

    def scaled(self, loss: torch.Tensor, scale: float) -> None:
        """A scaler made this loss, by multiplying with `scale`."""
        self._scaled = weakref.ref(loss), scale

    def scale_of(self, loss: torch.Tensor) -> float:
        """By what a scaler multiplied a loss; 1.0 of any other."""
        if self._scaled is not None and self._scaled[0]() is loss:
            return self._scaled[1] or 1.0
        return 1.0

    def learnt(self) -> None:
        """A backward pass or an update ended: the next forward call opens a new unit."""
        self._unit = 0

    def add(self, kind: str, at: int | None = None, /, **fields: Any) -> Event:
        """Count an event and, while looking closely, write it down. Returns it in any case."""
        self.counts[kind] += 1
        event: Event = {"k": kind, "p": self.current_pass, **fields}
        if self.close and len(self.events) < EVENTS_CAP:
            event["at"] = self.place() if at is None else at
            self.events.append(event)
        return event

    def always(self, kind: str, /, **fields: Any) -> Event:
        """Write down an event whether looking closely or not: for what happens seldom."""
        self.counts[kind] += 1
        event: Event = {"k": kind, "p": self.current_pass, "at": self.place(), **fields}
        if len(self.events) < 2 * EVENTS_CAP and self.counts[kind] <= EVENTS_CAP // 8:
            self.events.append(event)
        return event

    def model(self, module: nn.Module) -> int:
        """The index of a model in `models`; -1 beyond the cap. Kept, so that its id stays its."""
        for i, known in enumerate(self.models):
            if known is module:
                return i
        if len(self.models) >= MODELS_CAP:
            return -1
        self.models.append(module)
        self.frozen.update(id(p) for p in parameters(module) if not p.requires_grad)
        return len(self.models) - 1

    def install(self, observers: Sequence[Callable[[Flight], Observer]]) -> None:
        """Put every observer's hooks in place."""
        for build in observers:
            observer = build(self)
            observer.install()
            self.observers.append(observer)

    def report(self) -> dict[str, Any]:
        """The whole record as JSON: `events`, `places`, `counts`, `faults`, and one section per
        observer under its name (`{"fault": why}` where it failed).
        """
        sections: dict[str, Any] = {}
        for observer in self.observers:
            try:
                sections[observer.name] = observer.report()
            except Exception as e:
                self.fault(e)
                sections[observer.name] = {"fault": type(e).__name__}
        told = {
            "events": self.events,
            "places": self.places,
            "counts": dict(self.counts),
            "steps": self.step,
            "faults": self.faults,
            **sections,
        }
        whole: dict[str, Any] = finite(told)
        return whole


def names_of(frame: FrameType) -> dict[str, Any]:
    """The names of a frame and what they stand for.

    Before Python 3.13 the dictionary that a function's frame gives out stays with the frame, keeps
    all in it alive, and is the one that `locals()` gave the program: so it is emptied again, and
    not asked for at all where the program may hold it.
    """
    code = frame.f_code
    if not code.co_flags & inspect.CO_OPTIMIZED:  # a module's or a class's own dictionary
        return dict(frame.f_locals)
    if any(name in code.co_names for name in _ASKING):
        return {}
    held = frame.f_locals
    names = dict(held)
    if sys.version_info < (3, 13):
        held.clear()
    return names
