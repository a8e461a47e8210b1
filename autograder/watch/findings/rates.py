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
from .timeline import Span, number, spans, windows

CLASSES = ("cross_entropy", "nll_loss")
KNOWN = (*CLASSES, "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss")
PLAIN = ("SGD", "ASGD")
"""Optimizers whose step is as long as the gradient; others divide its size out."""
LONG = 0.15
"""A rate that times the samples of a batch is so large was chosen for a mean, not for a sum."""
LONGER = 2.0
"""The same of a sum whose parts are not known: a policy's return is summed, too."""
GREW = 100.0
"""By such a factor no loss grows on its way to be learnt."""
LASTING = 3
"""So many losses in a row up to the end that are no numbers are no accident."""
STILL = 1e-3
"""Weights that went less far than this share of their size have not moved."""


def _stepping(log: Log) -> tuple[int, Mapping[str, Any]] | None:
    """The one optimizer that stepped; where none did, updates by plain descent by hand, as one of
    index -1.
    """
    found = [(i, k) for i, k in optimizers(log) if k["steps"]]
    hand = log.sections.get("beats", {}).get("hand", {})
    if not found and number(hand.get("rate")) > 0:
        told = {"type": PLAIN[0], "rates": [hand["rate"]], "groups": []}
        return -1, {**told, "steps": int(hand["steps"]), "travel": hand["travel"]}
    return found[0] if len(found) == 1 else None


def _trace(log: Log) -> tuple[list[float], bool, Event] | None:
    """The longest trace of a loss: its finite values, whether it ended in no number, its place."""
    traces = log.section("beats", "traces")
    if not traces:
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
    """The loss rises, or is no number any more, and does not come back (or not to stay)."""
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
    # Adam moves each weight by about the rate: by whole numbers, they are thrown, not led
    wild = known["type"].startswith("Adam") and _rate(known) >= 1
    thrown = wild and losses <= set(CLASSES) and median(values) > 10 * first
    if rose or gone or thrown:
        became = "and then to no number at all" if broken else f"and was {end:.3g} at the end"
        yield Finding(
            "lr_too_high",
            f"with a learning rate of {number(known['rates'][0]):.3g} the loss went from "
            f"{first:.3g} up to {peak:.3g} {became}",
            instead_of=("nan_loss",),
            **log.where(where),
        )


def nan_loss(log: Log) -> Iterator[Finding]:
    """From some step on the loss is no number, to the end, and steps are made of it all the same.
    A program that leaves such batches out differentiates none of them.
    """
    traces = log.section("beats", "traces")
    ruined = [k for _, k in optimizers(log) if k["travel"] == "nan"]
    if not traces or not any(k["steps"] for _, k in optimizers(log)):
        return
    trace = max(traces, key=lambda t: t["count"])
    values = trace["values"]
    gone = len(values)
    while gone and not isinstance(values[gone - 1], (int, float)):
        gone -= 1
    last = len(values) - gone
    if last < LASTING and not (last and ruined):
        return
    before = f", after {values[gone - 1]:.4g}" if gone else ""
    # a loss that grew without end before is no number for its size: it has another cause
    first = next((v for v in values if isinstance(v, (int, float))), 0.0)
    grew = gone > 1 and abs(values[gone - 1]) > GREW * abs(first)
    weights = "and its weights are no numbers any more" if ruined else "unlike its weights"
    yield Finding(
        "nan_loss",
        f"from step {gone * trace['stride'] + 1} of {trace['count']} on the loss is "
        f"{values[gone]}{before}, {weights}",
        kind="bug" if ruined and not grew else "note",
        **log.where(trace),
    )


def lr_too_low(log: Log) -> Iterator[Finding]:
    """The weights stay where they began, by the rate alone, and so does the loss."""
    one, trace = _stepping(log), _trace(log)
    if one is None or trace is None:
        return
    known = one[1]
    values, broken, where = trace
    rate = _rate(known)
    least = 3e-5 if known["type"] in PLAIN else 2e-6
    # a warm-up that was watched in part may get somewhere yet; one that was over has not
    rising = len(known["rates"]) > 1 and number(known["rates"][-1]) > number(known["rates"][0])
    rising = rising and log.ended != "ran"
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
    reached = one[0] < 0 or any(e["nonzero"] for e in made)
    if number(known["travel"]) < STILL and start - end < 0.03 * abs(start) + noise and reached:
        told = max(number(r) for r in known["rates"])
        yield Finding(
            "lr_too_low",
            f"with a learning rate of {told:.3g} the weights moved by "
            f"{number(known['travel']):.1g} of their size in {known['steps']} steps, and the loss "
            f"went from {start:.4g} to {end:.4g}",
            **log.where(where),
        )


def _passes(log: Log, index: int) -> list[tuple[Span, Event]]:
    """The single backward passes that steps rest on, with what led to each. For updates by hand
    (index -1) a pass is its own step: the rate is told by the gradient that it left.
    """
    if index >= 0:
        found = [(s, s.backwards(index)) for s in spans(log, index)]
        return [(s, passes[0]) for s, passes in found if len(passes) == 1]
    by_hand: list[tuple[Span, Event]] = []
    for window in windows(log):
        start = 0
        for i, e in enumerate(window):
            if e["k"] == "backward":
                by_hand.append((Span(window[start:i], {"norm": e.get("after")}, opening=False), e))
                start = i + 1
    return by_hand


def sum_instead_of_mean(log: Log) -> Iterator[Finding]:
    """The loss is summed over the batch and differentiated as it is."""
    one = _stepping(log)
    known_ones = [one] if one is not None and one[0] < 0 else optimizers(log)
    for index, known in known_ones:
        rate, plain = _rate(known), known["type"] in PLAIN
        found: list[tuple[Event, int, bool]] = []
        # a norm that is no number any more tells of no factor
        judged = [p for p in _passes(log, index) if number(p[1].get("after"))]
        for span, backward in judged:
            rows, named = _summed_rows(list(span.events), backward)
            reached = number(span.step["norm"]) / (number(backward.get("after")) or 1.0)
            kinds = {e["k"] for e in span.events}
            if rows > 1 and (kinds & {"clip", "scaled"} or abs(reached - 1) < NEAR):
                found.append((backward, rows, named))
        if not found or len(found) * 2 < len(judged):
            continue
        event, rows, named = found[0]
        by_class = _losses(log) <= set(CLASSES) and bool(_losses(log))
        if (plain and rate * rows >= (LONG if named else LONGER)) or (by_class and not plain):
            yield Finding(
                "sum_instead_of_mean",
                f"the loss is the sum over {rows} samples and is differentiated undivided, so each "
                f"step is about {rows} times as long as with their mean (learning rate "
                f"{number(known['rates'][0]):.3g})",
                **log.where(event),
                instead_of=("lr_too_high",),
            )


def _summed_rows(events: list[Event], backward: Event) -> tuple[int, bool]:
    """Over how many samples a pass's loss was summed, 0 where it was no bare sum; and whether that
    is plain to see: a loss of torch's, or the sum of what one call made.
    """
    scaled = [e for e in events if e["k"] == "scaled"]
    scale = number(scaled[-1]["scale"]) if scaled else 1.0
    op = scaled[-1]["op"] if scaled else backward["op"]
    losses = [e for e in events if e["k"] == "loss" and e["weight"] is not None]
    if losses:
        bare = len(losses) == 1 and not op.startswith(("Add", "Sub", "Div", "Mul", "Stack"))
        whole = abs(number(losses[0]["weight"]) / (scale or 1.0) - 1) < NEAR
        summed = bare and whole and losses[0]["reduction"] == "sum"
        return int(losses[0]["rows"]) if summed else 0, True
    calls = [int(e["rows"]) for e in events if e["k"] == "forward" and e["learnt"]]
    return calls[0] if op == "Sum" and len(set(calls)) == 1 else 0, len(calls) == 1


FINDERS = (lr_too_high, nan_loss, lr_too_low, sum_instead_of_mean)
