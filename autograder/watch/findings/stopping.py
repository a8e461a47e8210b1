"""Early stopping that does not wait as long as it says.

Theory. Patience is the number of epochs without improvement after which training ends. Programs
differ by one in how they count (`waited >= patience`, `waited > patience`), and both are in use.
So a run that ended sooner than any such count allows is a fault; one that waited an epoch more is
a fault only where the program says in words what its patience means, and else worth a note.
Nothing is said where the plan's end was reached, a least improvement is asked for, or the
measures that may be meant disagree about which epoch was the best, unless it was too early by every
one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .base import Finding, Log
from .scores import Score, scores_of

_EPOCHS = re.compile(r"(\d+)\s+(?:\w+\s+)?(epoch|evaluation|check|round|time)s?", re.IGNORECASE)
EQUAL = 1e-4
"""How near, relative, two numbers are equal."""
_NO_BETTER = re.compile(
    r"(\bno\b|\bnot\b|n't|without|never).*(improv|better|progress|change|decreas|increas)",
    re.IGNORECASE,
)


def _waited(series: list[Score], *, by_loss: bool) -> int:
    """How many evaluations came after the best one; -1 where that measure is not known of all."""
    values = [s.loss if by_loss else s.accuracy for s in series]
    if any(v is None for v in values):
        return -1
    known = [v for v in values if v is not None]
    best = min(known) if by_loss else max(known)
    return len(known) - 1 - known.index(best)


def _measures(told: Mapping[str, Any], series: list[Score]) -> list[bool]:
    """By which measures the best epoch may be meant, the loss (True) and the accuracy: the one that
    what the program calls the best is a value of, where it is of one alone.
    """
    best = [float(b) for b in told.get("best", [])]

    def kept(value: float | None) -> bool:
        return value is not None and any(
            abs(b - s * value) <= EQUAL * abs(value) for b in best for s in (1.0, 100.0)
        )

    loss, accuracy = any(kept(s.loss) for s in series), any(kept(s.accuracy) for s in series)
    return [loss] if loss != accuracy else [True, False]


def _said(log: Log, patience: int, waited: int) -> bool:
    """Whether the program printed that it had waited for as long as its patience, where it had
    waited for another number of epochs.
    """
    for e in log.of_kind("print"):
        text = str(e["text"])
        numbers = {int(n) for n, _ in _EPOCHS.findall(text)}
        if _NO_BETTER.search(text) and patience in numbers and waited not in numbers:
            return True
    return False


def early_stop_off_by_one(log: Log) -> Iterator[Finding]:
    """Training ended early, with fewer epochs after the best one than its patience."""
    told = log.sections.get("stopping", {})
    patience, planned = told.get("patience", []), told.get("planned", [])
    if len(patience) != 1 or not planned or told.get("tolerance") or log.ended != "ran":
        return
    scores = scores_of(log)
    last = max((e for e in range(len(log.events)) if log.events[e]["k"] == "step"), default=-1)
    for what in sorted({s.what for s in scores}):
        series = [s for s in scores if s.what == what]
        # evaluations after training has ended, of the restored weights say, are no epochs
        ends = [i for i, s in enumerate(series) if s.index > last]
        series = series[: ends[0] + 1] if ends else series
        if len(series) < 2 or len(series) >= min(planned):
            continue
        counts = {_waited(series, by_loss=b) for b in _measures(told, series)} - {-1}
        waited = max(counts, default=0)
        if len(counts) != 1 and not (told.get("spoken") and counts and waited < patience[0]):
            continue
        off = waited - patience[0]
        words = bool(told.get("spoken")) or _said(log, patience[0], waited)
        if off in (-1, 1):
            yield Finding(
                "early_stop_off_by_one",
                f"of {len(series)} evaluations number {len(series) - waited} was the best, so "
                f"training waited {waited} more, where its patience is {patience[0]}",
                kind="bug" if off < 0 or words else "note",
                **log.where(log.events[series[-1].index]),
            )
            return


FINDERS = (early_stop_off_by_one,)
