"""Early stopping that does not wait as long as it says.

Theory. Patience is the number of epochs without improvement after which training ends. Programs
differ by one in how they count (`waited >= patience`, `waited > patience`), and both are in use.
So a run that ended sooner than any such count allows is a fault; one that waited an epoch more is
a fault only where the program says in words what its patience means, and else worth a note.
Nothing is said where the plan's end was reached, a least improvement is asked for, or the
measures disagree about which epoch was the best, unless it was too early by every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from .base import Finding, Log
from .scores import Score, scores_of


def _waited(series: list[Score], *, by_loss: bool) -> int:
    """How many evaluations came after the best one; -1 where that measure is not known of all."""
    values = [s.loss if by_loss else s.accuracy for s in series]
    if any(v is None for v in values):
        return -1
    known = [v for v in values if v is not None]
    best = min(known) if by_loss else max(known)
    return len(known) - 1 - known.index(best)


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
        counts = {_waited(series, by_loss=b) for b in (True, False)} - {-1}
        waited = max(counts, default=0)
        if len(counts) != 1 and not (told.get("spoken") and counts and waited < patience[0]):
            continue
        off = waited - patience[0]
        if off in (-1, 1):
            yield Finding(
                "early_stop_off_by_one",
                f"of {len(series)} evaluations number {len(series) - waited} was the best, so "
                f"training waited {waited} more, where its patience is {patience[0]}",
                kind="bug" if off < 0 or told.get("spoken") else "note",
                **log.where(log.events[series[-1].index]),
            )
            return


FINDERS = (early_stop_off_by_one,)
