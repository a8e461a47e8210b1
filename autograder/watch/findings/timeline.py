"""Phases and steps, made from the events of a flight record.

Theory. A phase is one pass over a loader, or, where there is no loader, a run of forward calls
from one function between which no pass begins, those that measure apart from those that train. A
phase in which a gradient arrived at any forward pass is a training phase; one in which none did is
an evaluation. A step is what happens between
two updates: events up to and including an optimizer's `step`, or, in a program that updates by
hand, up to the next forward call after a backward pass. Events beyond a `cut` are no neighbours,
so a step that a cut goes through is not `whole`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .base import Event, Log
from .measures import evaluations

BEATS = ("zero", "forward", "loss", "backward", "step")


@dataclass
class Phase:
    """A stretch of forward calls. `number` is the pass over a loader it was, or -1."""

    number: int
    place: tuple[Any, ...]
    events: list[Event] = field(default_factory=list)

    @property
    def forwards(self) -> list[Event]:
        return [e for e in self.events if e["k"] == "forward"]

    @property
    def trains(self) -> bool:
        """Whether anything was learnt in it."""
        kinds = {e["k"] for e in self.events}
        return bool(kinds & {"backward", "step", "grad"}) or any(
            e.get("learnt") for e in self.forwards
        )


def phases(log: Log) -> list[Phase]:
    """The phases of a run, in order, each with the events that fell into it."""
    found: list[Phase] = []
    learnt = {e["at"] for e in log.of_kind("forward") if e["learnt"]}
    measured = {c["at"] for m in evaluations(log) for c in m.calls} - learnt
    for e in log.events:
        if e["k"] in ("pass", "passed", "print", "save", "load", "state", "restore"):
            continue
        number = int(e.get("p", -1))
        at = e.get("at", -1)
        function = log.places[at].get("function") if 0 <= at < len(log.places) else ""
        key: tuple[Any, ...] = (number,) if number >= 0 else (number, function)
        if number < 0 and e["k"] == "forward":
            key = (*key, at in measured)
        if number >= 0:
            open_phase = next((p for p in reversed(found) if p.number == number), None)
        else:
            last = found[-1] if found else None
            starts = e["k"] == "forward" and last is not None and last.place != key
            open_phase = None if last is None or last.number >= 0 or starts else last
        if open_phase is None:
            open_phase = Phase(number, key)
            if number < 0 and found and found[-1].number < 0 and not key[-1]:
                open_phase.events = _cleared(found[-1])
            found.append(open_phase)
        open_phase.events.append(e)
    return [p for p in found if p.forwards or p.trains]


def _cleared(before: Phase) -> list[Event]:
    """The clearing of gradients at the end of a phase: it belongs to the step that comes."""
    at = len(before.events)
    while at and before.events[at - 1]["k"] == "zero":
        at -= 1
    taken, before.events = before.events[at:], before.events[:at]
    return taken


@dataclass
class Step:
    """What led to one update. `end` is the optimizer's step event, None for one by hand."""

    events: list[Event]
    end: Event | None
    whole: bool

    def kinds(self) -> list[str]:
        return [e["k"] for e in self.events]


def steps(log: Log) -> list[Step]:
    """The updates of a run in order; several optimizers' steps each count."""
    return steps_in(log.events, by_hand=not log.counts.get("step"))


def steps_in(events: Sequence[Event], *, by_hand: bool = False) -> list[Step]:
    """The updates within a stretch of events. `by_hand`: no optimizer steps in this program, so
    what comes after a backward pass begins anew with the next clearing or forward pass.
    """
    found: list[Step] = []
    held: list[Event] = []
    whole = True
    for e in events:
        if e["k"] == "cut":
            held, whole = [], False
            continue
        done = any(x["k"] == "backward" for x in held)
        if by_hand and done and e["k"] in ("forward", "zero"):
            found.append(Step(held, None, whole))
            held, whole = [], True
        held.append(e)
        if e["k"] == "step":
            found.append(Step(held, e, whole))
            held, whole = [], True
    if by_hand and any(x["k"] == "backward" for x in held):
        found.append(Step(held, None, whole))
    return found


def order(step: Step) -> Sequence[str]:
    """The beats of a step in the order they came, repeated ones once."""
    beats = [k for k in step.kinds() if k in BEATS]
    return [k for i, k in enumerate(beats) if i == 0 or beats[i - 1] != k]


def windows(log: Log) -> list[list[Event]]:
    """The stretches of events without a cut in them."""
    found: list[list[Event]] = [[]]
    for e in log.events:
        if e["k"] == "cut":
            found.append([])
        else:
            found[-1].append(e)
    return [w for w in found if w]


@dataclass(frozen=True)
class Span:
    """What one optimizer's step rests on: the `events` since its step before (or since the run or
    the close look began, which is `opening`), and the `step` itself.
    """

    events: Sequence[Event]
    step: Event
    opening: bool

    def backwards(self, optimizer: int) -> list[Event]:
        """The backward passes within that reach tensors of an optimizer."""
        return [e for e in self.events if e["k"] == "backward" and optimizer in e["into"]]


def spans(log: Log, optimizer: int) -> list[Span]:
    """The spans of an optimizer, by its index."""
    found: list[Span] = []
    for window in windows(log):
        held: list[Event] = []
        opening = True
        for e in window:
            if e["k"] == "step" and e["optimizer"] == optimizer:
                found.append(Span(held, e, opening))
                held, opening = [], False
            else:
                held.append(e)
    return found


def holds(log: Log, optimizer: int, model: int) -> bool:
    """Whether an optimizer holds any tensor of a model."""
    known = log.section("beats", "optimizers")
    held = known[optimizer]["holds"] if 0 <= optimizer < len(known) else []
    return 0 <= model < len(held) and held[model] > 0


def number(value: object) -> float:
    """A number of an event; 0.0 where it was none or not finite."""
    return float(value) if isinstance(value, (int, float)) else 0.0
