"""Learning rates over time: schedules out of step with their optimizer or with their own settings.

Theory. A schedule counts calls. Whether these are batches or epochs is up to the program, and it
has to agree with the schedule's settings: a schedule whose settings end within the first epoch was
meant for epochs, and one that after the last epoch has hardly begun was meant for batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from .base import Finding, Log
from .timeline import number

GONE = 1e-4
"""A rate fallen to this share of its beginning trains nothing."""


def epochs(log: Log) -> tuple[int, int]:
    """How many passes over a loader there were in which steps were made, and the batches of the
    longest of them. Without loaders, the same between permutations drawn; else (0, 0).
    """
    passes = log.section("data", "passes")
    trained = {e["p"] for e in log.of_kind("step") if 0 <= e["p"] < len(passes)}
    if trained:
        return len(trained), max(int(passes[p]["batches"]) for p in trained)
    drawn = [int(s) for s in log.section("control", "shuffled")]  # type: ignore[call-overload]
    lengths = [b - a for a, b in pairwise([*drawn, log.steps]) if b > a]
    return len(lengths), max(lengths, default=0)


def scheduler_order(log: Log) -> Iterator[Finding]:
    """A schedule that steps before its optimizer, per batch instead of per epoch, or reversed."""
    known = log.section("beats", "optimizers")
    for course in log.section("control", "schedules"):
        index = course["optimizer"]
        if not 0 <= index < len(known):
            continue
        steps = int(known[index]["steps"])
        why = (
            _too_early(course, steps, log)
            or _too_slow(course, steps)
            or _too_fast(course, *epochs(log))
        )
        if why:
            yield Finding("scheduler_order", why, **log.where(course))
    error = next((e for e in log.errors if "Tried to step" in str(e["message"])), None)
    if error is not None:
        yield Finding(
            "scheduler_order",
            f"the schedule was stepped more often than it was made for: {error['message'][:120]}",
            line=error.get("line"),
            cell=error.get("cell"),
            weight=2.0,
        )


def _too_early(course: Mapping[str, Any], steps: int, log: Log) -> str:
    """Called once before the optimizer's first step, and last before its last ones."""
    if course["early"] == 1 and course["calls"] > 1 and course["last"] < steps:
        if log.ended == "stopped" and course["calls"] < 3:
            return ""
        return (
            f"{course['type']} stepped before the first step of its optimizer, and each time after "
            "that ahead of the steps it should follow: the first rate was never used"
        )
    return ""


def _too_slow(course: Mapping[str, Any], steps: int) -> str:
    """Made for so many calls as there are batches, and called once per epoch."""
    settings = course["settings"]
    length = number(settings.get("total_steps") or settings.get("T_max"))
    calls = int(course["calls"])
    if calls < 2 or not length:
        return ""
    between = (course["last"] - course["first"]) / (calls - 1)
    per_batch = between * calls
    if course["type"] == "CosineAnnealingLR" and abs(length - steps) > 0.02 * steps:
        return ""
    if between >= 2 and length >= 0.8 * per_batch and length >= 2 * calls:
        return (
            f"{course['type']} is set for {length:g} steps and was stepped {calls} times, once "
            f"for every {between:.0f} steps of its optimizer: it never got beyond its beginning"
        )
    return ""


def _too_fast(course: Mapping[str, Any], passes: int, batches: int) -> str:
    """Set in epochs, and called once per batch."""
    settings, kind = course["settings"], course["type"]
    calls, most = int(course["calls"]), int(course["most"])
    if passes < 2 or most < 2 or most * 2 < batches:
        return ""
    rates = [r for r in course["rate"] if isinstance(r, (int, float)) and r > 0]
    fell = number(course["lowest"]) / max(rates) if rates else 1.0
    length = number(
        settings.get("T_max") or settings.get("step_size") or settings.get("last_milestone")
    )
    meant = {
        "CosineAnnealingLR": (length < batches or length == passes) and calls >= 2 * length,
        "StepLR": (length < batches and length <= passes) or fell < GONE,
        "MultiStepLR": length < batches and length <= passes,
        "ExponentialLR": (number(settings.get("gamma")) <= 0.95 and fell < 0.05) or fell < GONE,
        "ReduceLROnPlateau": most > 2 and fell <= 0.02,
    }
    if not meant.get(kind):
        return ""
    by = f" is set for {length:g} and" if length else ""
    return (
        f"{kind}{by} was stepped after every batch, {most} times in one epoch of {passes}: the "
        f"rate went down to {number(course['lowest']):.3g}"
    )


FINDERS = (scheduler_order,)
