"""The size of a step: a rate too high or too low, a sum where a mean was meant.

Theory. What a rate does shows in the loss. One that is too high drives it up, or to no number at
all, and it does not come back; one that is too low leaves it, and the weights, where they were. A
loss that others move as well (two players, a policy that draws its own data) says nothing of that
kind, so only runs with one optimizer and a loss of known kind are judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean, median, pstdev
from typing import Any

from .base import Event, Finding, Log
from .beats import optimizers
from .control import NEAR
from .timeline import number, spans

CLASSES = ("cross_entropy", "nll_loss")
KNOWN = (*CLASSES, "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss")
PLAIN = ("SGD", "ASGD")
"""Optimizers whose step is as long as the gradient; others divide its size out."""
STILL = 1e-3
"""Weights that went less far than this share of their size have not moved."""


def _stepping(log: Log) -> tuple[int, Mapping[str, Any]] | None:
    """The one optimizer that stepped, where there was one."""
    found = [(i, k) for i, k in optimizers(log) if k["steps"]]
    return found[0] if len(found) == 1 else None


def _trace(log: Log) -> tuple[list[float], bool, Event] | None:
    """The longest trace of a loss: its finite values, whether it ended in no number, its place."""
    traces = log.section("beats", "traces")
    if not traces or log.counts.get("scaled"):
        return None
    longest = max(traces, key=lambda t: t["count"])
    values = [v for v in longest["values"] if isinstance(v, (int, float))]
    broken = bool(longest["values"]) and not isinstance(longest["values"][-1], (int, float))
    return ([float(v) for v in values], broken, longest) if values else None


def _losses(log: Log) -> set[str]:
    """The losses that were differentiated."""
    return {e["fn"] for e in log.of_kind("loss") if number(e["weight"]) > 0}


def _rate(known: Mapping[str, Any]) -> float:
    """The highest rate that was used, momentum's factor included for plain optimizers."""
    rates = [number(r) for r in known["rates"]]
    momentum = max((number(g.get("momentum")) for g in known["groups"]), default=0.0)
    factor = 1 - momentum if known["type"] in PLAIN and momentum < 1 else 1.0
    return max(rates, default=0.0) / factor


def lr_too_high(log: Log) -> Iterator[Finding]:
    """The loss rises, or is no number any more, and does not come back."""
    one, trace, losses = _stepping(log), _trace(log), _losses(log)
    if one is None or trace is None or not losses & set(KNOWN):
        return
    known = one[1]
    values, broken, where = trace
    first, peak = values[0], max(values)
    end = median(values[-max(1, len(values) // 5) :])
    sure = 3.0 if losses <= set(CLASSES) else 100.0
    if first <= 0 or min(values) < 0 or known["steps"] < 3:
        return
    followed = any(e["of"] == "model" for e in log.of_kind("restore"))
    rose = peak > sure * first and end > 0.95 * first and not (followed and sure > 3)
    gone = broken and (peak > sure * first or _rate(known) >= 1)
    if rose or gone:
        became = "and then to no number at all" if broken else f"and was {end:.3g} at the end"
        yield Finding(
            "lr_too_high",
            f"with a learning rate of {number(known['rates'][0]):g} the loss went from "
            f"{first:.3g} up to {peak:.3g} {became}",
            **log.where(where),
        )


def lr_too_low(log: Log) -> Iterator[Finding]:
    """The weights stay where they began, by the rate alone, and so does the loss."""
    one, trace = _stepping(log), _trace(log)
    if one is None or trace is None:
        return
    known = one[1]
    values, broken, where = trace
    rate = _rate(known)
    least = 2e-5 if known["type"] in PLAIN else 2e-6
    rising = len(known["rates"]) > 1 and number(known["rates"][-1]) > number(known["rates"][0])
    if (
        broken
        or rising
        or known["steps"] < 8
        or len(values) < 8
        or rate > least
        or known["travel"] is None
    ):
        return
    half = len(values) // 2
    start, end = fmean(values[:half]), fmean(values[-half:])
    noise = 2 * pstdev(values) / half**0.5
    made = [e for e in log.of_kind("step") if e["optimizer"] == one[0]]
    if (
        number(known["travel"]) < STILL
        and start - end < 0.03 * abs(start) + noise
        and any(e["nonzero"] for e in made)
    ):
        yield Finding(
            "lr_too_low",
            f"with a learning rate of {number(known['rates'][0]):g} the weights moved by "
            f"{number(known['travel']):.1g} of their size in {known['steps']} steps, and the loss "
            f"went from {start:.4g} to {end:.4g}",
            **log.where(where),
        )


def sum_instead_of_mean(log: Log) -> Iterator[Finding]:
    """The loss is summed over the batch and differentiated as it is."""
    for index, known in optimizers(log):
        rate, plain = _rate(known), known["type"] in PLAIN
        found: list[tuple[Event, int]] = []
        judged = [s for s in spans(log, index) if len(s.backwards(index)) == 1]
        for s in judged:
            backward = s.backwards(index)[0]
            rows = _summed_rows(list(s.events), backward)
            reached = number(s.step["norm"]) / (number(backward.get("after")) or 1.0)
            clips = [e for e in s.events if e["k"] == "clip"]
            scaled = any(e["k"] == "scaled" for e in s.events)
            whole = clips or scaled or abs(reached - 1) < NEAR
            if rows > 1 and whole:
                found.append((backward, rows))
        if not found or len(found) * 2 < len(judged):
            continue
        event, rows = found[0]
        by_class = _losses(log) <= set(CLASSES) and bool(_losses(log))
        if (plain and rate * rows >= 0.3) or (by_class and not plain):
            yield Finding(
                "sum_instead_of_mean",
                f"the loss is the sum over {rows} samples and is differentiated undivided, so each "
                f"step is about {rows} times as long as with their mean (learning rate "
                f"{number(known['rates'][0]):g})",
                **log.where(event),
                instead_of=("lr_too_high",),
            )


def _summed_rows(events: list[Event], backward: Event) -> int:
    """Over how many samples a pass's loss was summed; 0 where it was no bare sum."""
    scaled = [e for e in events if e["k"] == "scaled"]
    scale = number(scaled[-1]["scale"]) if scaled else 1.0
    op = scaled[-1]["op"] if scaled else backward["op"]
    losses = [e for e in events if e["k"] == "loss" and e["weight"] is not None]
    if losses:
        bare = len(losses) == 1 and not op.startswith(("Add", "Sub", "Div", "Mul", "Stack"))
        whole = abs(number(losses[0]["weight"]) / (scale or 1.0) - 1) < NEAR
        return int(losses[0]["rows"]) if bare and whole and losses[0]["reduction"] == "sum" else 0
    calls = [e for e in events if e["k"] == "forward" and e["learnt"]]
    return int(calls[0]["rows"]) if op == "Sum" and len(calls) == 1 else 0


FINDERS = (lr_too_high, lr_too_low, sum_instead_of_mean)
