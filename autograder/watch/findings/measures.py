"""Where a program measures a model: calls that nothing is learnt from, and what is made of them.

Theory. Phases are too coarse to find evaluations by: a program may evaluate in the middle of an
epoch, on one line, within a function that also trains. So a measurement is found call by call: a
chain of model calls (each fed with the one before), followed by a loss, a comparison with targets
or a choice of the best class, none of which was ever differentiated. Samples drawn from a
generator, a teacher's targets, statistics of batch norm taken anew, a dry run: none of these is
measured, and so none is an evaluation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .base import Event, Log

DRAWS = 3
"""From so many calls on one input on, with nothing learnt between, the randomness is wanted."""


@dataclass
class Measurement:
    """A chain of calls and what was made of its answer. `begins` is its place among the events."""

    begins: int
    calls: list[Event]
    made: list[Event] = field(default_factory=list)

    @property
    def learnt(self) -> bool:
        """Whether anything of it was differentiated."""
        calls = any(c["learnt"] or c["transformed"] for c in self.calls)
        return calls or any(_differentiated(e, self.calls[-1]) for e in self.made)


def _differentiated(made: Event, call: Event) -> bool:
    if made["k"] == "loss":
        # a graph that does not come from this call belongs to another, as a student's to a teacher
        return made["weight"] is not None or (made["grad"] and not call["graph"])
    return made["k"] == "compare" and any(made["grad"]) and not call["graph"]


def _measures(event: Event) -> bool:
    if event["k"] == "best":  # a choice from a loader's batch; elsewhere it may be an action
        return bool(event["of_output"] and event["p"] >= 0)
    return event["k"] in ("loss", "compare")


def chains(log: Log) -> list[Measurement]:
    """All chains of calls, whether measured or not, in order."""
    found: list[Measurement] = []
    current: Measurement | None = None
    for i, e in enumerate(log.events):
        if e["k"] == "forward":
            if current is None or not e["fed"] or current.made:
                current = Measurement(i, [])
                found.append(current)
            current.calls.append(e)
        elif e["k"] in ("cut", "backward", "step"):
            current = None
        elif current is not None and _measures(e):
            current.made.append(e)
    return found


def trained(log: Log) -> set[int]:
    """The models that something was learnt from, and others of their classes, or with as many
    weights: a wrapper that keeps their average, say.
    """
    learnt = {e["model"] for e in log.of_kind("forward") if e["learnt"]}
    known = [log.models[m] for m in sorted(learnt) if 0 <= m < len(log.models)]
    alike = {("class", m["class"]) for m in known} | {
        ("parameters", m["parameters"]) for m in known
    }
    alike -= {("parameters", 0)}
    return {
        i
        for i, m in enumerate(log.models)
        if i in learnt or not alike.isdisjoint((k, m[k]) for k in ("class", "parameters"))
    }


def evaluations(log: Log) -> Iterator[Measurement]:
    """The measurements of trained models from which nothing was learnt, after training began."""
    models = trained(log)
    first = next((i for i, e in enumerate(log.events) if e["k"] == "forward" and e["learnt"]), None)
    if first is None:
        return
    whole = log.ended != "stopped"
    found = chains(log)
    for chain in found[: len(found) if whole else -1]:  # the last may have been on its way
        known = any(c["model"] in models for c in chain.calls)
        if known and chain.begins > first and chain.made and not chain.learnt:
            yield chain


def drawn(log: Log) -> set[int]:
    """The models that were called several times on one input with nothing learnt in between, as
    for an average over dropout.
    """
    found: set[int] = set()
    calls: Counter[tuple[int, object, tuple[int, ...]]] = Counter()
    for e in log.events:
        if e["k"] == "step":
            calls.clear()
        elif e["k"] == "forward" and not e["learnt"] and e["mark"] is not None:
            key = (e["model"], e["mark"], tuple(e["shape"]))
            calls[key] += 1
            if calls[key] >= DRAWS:
                found.add(e["model"])
    return found
