"""Learning rates over time: schedules out of step with their optimizer or with their own settings.

Theory. A schedule counts calls. Whether these are batches or epochs is up to the program, and it
has to agree with the schedule's settings: a schedule whose settings end within the first epoch was
meant for epochs, and one that after the last epoch has hardly begun was meant for batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from .base import Event, Finding, Log
from .timeline import number

GONE = 1e-4
"""A rate fallen to this share of its beginning trains nothing."""
SEVERAL, FEWEST, NEAR, FALLEN = 1.5, 8, 0.1, 0.05
"""So many calls for an update are several; so many calls in all are a course; how near, relative,
two lengths are the same; and to which share of its highest a rate has fallen that is used up.
"""
LONG = ("CosineAnnealingLR", "LinearLR", "PolynomialLR", "OneCycleLR")
"""Schedules whose settings say how many steps they are for."""
SEEN, EQUAL = 2, 1e-5
"""So many different measures are no coincidence; how near, relative, two numbers are equal."""


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
            or _used_up(course, steps)
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


def _used_up(course: Mapping[str, Any], steps: int) -> str:
    """Planned for the updates, and called for each of the several batches that make one: it had
    come to its end when the share of the run was over that one batch has in an update.
    """
    calls, rates = int(course["calls"]), [number(r) for r in course["rate"]]
    several = calls / steps if steps else 0.0
    if several < SEVERAL or calls < FEWEST or not rates:
        return ""
    planned = number(_length(course["settings"]))
    if planned and abs(planned - steps) <= NEAR * steps and course["type"] in LONG:
        return (
            f"{course['type']} is set for {planned:g} steps, and its optimizer makes {steps}, but "
            f"it was stepped {calls} times, once for each of the {several:.3g} batches that an "
            "update is made of"
        )
    ended = int(course["changed"])
    fell = number(course["rate_now"]) <= FALLEN * max(*rates, number(course["highest"]))
    if fell and abs(ended - steps) <= NEAR * steps + 1:
        return (
            f"{course['type']} was stepped {calls} times for the {steps} updates of its optimizer, "
            f"and had come down to {number(course['rate_now']):.3g} at its call {ended}: it was "
            f"planned for the updates, and used up by the {several:.3g} batches of each"
        )
    return ""


def _length(settings: Mapping[str, Any]) -> Any:
    return settings.get("total_steps") or settings.get("T_max") or settings.get("total_iters")


def plateau_mode(log: Log) -> Iterator[Finding]:
    """A schedule that waits for a measure to fall is fed one that should rise, or the other way
    round: what it is fed equals an accuracy, or a loss, that was measured.
    """
    for index, course in enumerate(log.section("control", "schedules")):
        calls = [e for e in log.of_kind("schedule") if e["scheduler"] == index]
        fed = [(e, e["fed"]) for e in calls if isinstance(e.get("fed"), (int, float))]
        if course["type"] != "ReduceLROnPlateau" or len({v for _, v in fed}) < SEEN:
            continue
        told = [_measured(log, e, float(v)) for e, v in fed]
        accuracies, losses = all("accuracy" in t for t in told), all("loss" in t for t in told)
        if accuracies == losses:
            continue
        wrong = course["mode"] == ("min" if accuracies else "max")
        what, way = ("accuracy", "lower") if accuracies else ("loss", "higher")
        if wrong:
            values = ", ".join(f"{v:.4g}" for _, v in fed[:3])
            yield Finding(
                "plateau_mode",
                f"ReduceLROnPlateau takes {way} for better (mode='{course['mode']}') and was fed "
                f"the {what} each time ({values}, …): it cuts the rate when the model gets better",
                **log.where(course),
            )
            return


def _measured(log: Log, call: Event, value: float) -> set[str]:
    """What a measure equals of what was measured before a schedule's call: "accuracy", "loss"."""
    found: set[str] = set()
    at = next(i for i, e in enumerate(log.events) if e is call)
    for e in log.events[:at]:
        if e["k"] == "scored":
            ways = {"accuracy": [e["accuracy"]], "loss": [e["loss"]]}
        elif e["k"] == "tally" and e["n"] and e["rows"]:
            n, rows, total = e["n"], e["rows"], e["total"]
            means = [total / n, total / rows, total, e["weighted"] / rows, e["weighted"], e["last"]]
            shares = [total / rows, e["ratios"] / n, total]
            ways = {"accuracy": shares} if e["what"] == "equal" else {"loss": means}
        else:
            continue
        for what, numbers in ways.items():
            scaled = [s * float(m) for m in numbers for s in ((1, 100) if what[0] == "a" else (1,))]
            if any(abs(value - s) <= EQUAL * max(abs(s), EQUAL) for s in scaled):
                found.add(what)
    return found


FINDERS = (scheduler_order, plateau_mode)
