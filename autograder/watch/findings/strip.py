"""The beat strip: what each step of a run did, phase by phase, with equal steps put together.

A row is a phase (a training or an evaluation pass). Its `steps` are runs of consecutive steps
that showed the same beats in the same order: (first, last, beats), counted within the phase.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .base import Log
from .timeline import Phase, order, phases, steps_in


@dataclass(frozen=True)
class Row:
    """One phase. `file` is a module beside the program, "" the program itself; `loss`: first and
    last value seen, or None; `batches`: forward passes, counted where the phase was one pass over a
    loader, else those seen; `mode` "train", "eval" or "mixed"; `graph`: whether outputs hung on a
    graph.
    """

    kind: str
    file: str
    line: int | None
    batches: int
    steps: tuple[tuple[int, int, tuple[str, ...]], ...]
    loss: tuple[float, float] | None
    mode: str
    graph: bool


def _row(log: Log, phase: Phase) -> Row:
    forwards = phase.forwards
    runs: list[tuple[int, int, tuple[str, ...]]] = []
    for number, step in enumerate(steps_in(phase.events, by_hand=not log.counts.get("step")), 1):
        beats = tuple(order(step))
        if runs and runs[-1][2] == beats:
            runs[-1] = (runs[-1][0], number, beats)
        else:
            runs.append((number, number, beats))
    losses = [
        float(e["value"])
        for e in phase.events
        if e["k"] == "loss" and isinstance(e["value"], (int, float))
    ]
    modes = {bool(e["training"]) for e in forwards}
    passes = log.section("data", "passes")
    known = 0 <= phase.number < len(passes)
    return Row(
        "training" if phase.trains else "evaluation",
        str(log.where(forwards[0]).get("file", "")) if forwards else "",
        log.where(forwards[0]).get("line") if forwards else None,
        int(passes[phase.number]["batches"]) if known else len(forwards),
        tuple(runs) if phase.trains else (),
        (losses[0], losses[-1]) if losses else None,
        "mixed" if len(modes) > 1 else "train" if True in modes else "eval",
        any(e.get("graph") for e in forwards),
    )


def strip(log: Log) -> tuple[Row, ...]:
    """The rows of a run, in order."""
    return tuple(_row(log, phase) for phase in phases(log))


def as_json(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """The rows as plain data."""
    return [asdict(row) for row in rows]
