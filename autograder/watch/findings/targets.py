"""A target network that is the network it is the target of.

Theory. In the steps of such a program one model is called to be learnt from, and once more for the
values to be met. That these two calls are of one network is no fault by itself: there is learning
without a target network. It is one where the program believes in two: their names say so, or the
network is given its own state again and again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .base import Event, Finding, Log
from .timeline import steps

STEPS = 3
"""In so many steps both calls must come."""
AGAIN = 2
"""So often a network must be given its own state: once may be a trial of the file format."""


def _pairs(log: Log, models: Collection[int]) -> list[tuple[Event, Event]]:
    """Of each step a call of these models that is learnt from, and one on another input that is
    not.
    """
    found = []
    for step in steps(log):
        calls = [e for e in step.events if e["k"] == "forward" and e["model"] in models]
        learnt = [e for e in calls if e["learnt"]]
        still = [e for e in calls if not e["learnt"]]
        pairs = [(a, b) for a in learnt for b in still if a["mark"] != b["mark"]]
        found += pairs[:1]
    return found


def target_not_frozen(log: Log) -> Iterator[Finding]:
    """What is called the target has the weights of the model that learns, in the same memory."""
    for told in log.section("targets", "list"):
        pairs = _pairs(log, told["models"])
        if len(pairs) >= STEPS:
            yield Finding(
                "target_not_frozen",
                f"'{told['name']}' and '{told['also']}' are one network, with the same weights in "
                "the same memory: it was called for the values to be met, and learnt to meet them, "
                f"in the same step ({len(pairs)} of those looked at), so that the target moves "
                "along",
                **log.where(pairs[0][1]),
            )
            return
    for model in range(len(log.models)):
        given = [e for e in log.of_kind("restore") if e["model"] == model and e.get("self")]
        others = [e for e in log.of_kind("restore") if e["model"] == model and not e.get("self")]
        if len({e["step"] for e in given}) < AGAIN or len(others) > 1:
            continue
        pairs, still = _pairs(log, (model,)), _only_asked(log, model)
        if len(pairs) >= STEPS or still >= STEPS:
            name = log.model_name(model)
            yield Finding(
                "target_not_frozen",
                f"{name} was given its own state {len(given)} times, in which it lay already: "
                + (
                    "what should be copied from one network to another is one and the same"
                    if len(pairs) >= STEPS
                    else "nothing was ever copied to it from the network that learns"
                ),
                **log.where(given[0]),
            )
            return


def _only_asked(log: Log, model: int) -> int:
    """In how many steps of others a model was called that is never learnt from; else 0."""
    calls = [e for e in log.of_kind("forward") if e["model"] == model]
    if any(e["learnt"] for e in calls):
        return 0
    mine = {id(e) for e in calls}
    return sum(any(id(e) in mine for e in step.events) for step in steps(log))


FINDERS = (target_not_frozen,)
