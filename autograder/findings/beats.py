"""Bugs of the five beats: gradients that stay, updates that never come."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Finding, Log
from .timeline import steps


def missing_zero_grad(log: Log) -> Iterator[Finding]:
    """Gradients of an update still lie there at the next one's first backward pass, every time."""
    stale: list[int] = []
    seen = 0
    first = None
    for number, step in enumerate(steps(log), 1):
        backward = next((e for e in step.events if e["k"] == "backward"), None)
        if backward is None or number == 1 or not step.whole:
            continue
        seen += 1
        if backward["stale"] and backward["stale"] == backward["leaves"]:
            stale.append(number)
            first = first or backward
    if first is not None and seen >= 1 and len(stale) == seen:
        yield Finding(
            "missing_zero_grad",
            f"before the backward pass of step {stale[0]} the gradients of earlier steps still lay "
            f"there (their norm was {first['before']:.3g}), and so in each of the {seen} steps "
            "looked at",
            **log.where(first),
        )


FINDERS = (missing_zero_grad,)
