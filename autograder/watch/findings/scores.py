"""How each evaluation of a run went, and which of two went better."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from .base import Log
from .measures import Measurement, evaluations


@dataclass(frozen=True)
class Score:
    """One evaluation: its place among the events, what was evaluated, how it went, and of which
    model (-1 where several answered).
    """

    index: int
    what: tuple[str, int]
    accuracy: float | None
    loss: float | None
    model: int = -1

    def beats(self, other: Score) -> bool:
        """Whether it went better by every measure that is known of both."""
        told = [
            (mine > yours) if higher else (mine < yours)
            for mine, yours, higher in (
                (self.accuracy, other.accuracy, True),
                (self.loss, other.loss, False),
            )
            if mine is not None and yours is not None
        ]
        return bool(told) and all(told)

    def __str__(self) -> str:
        if self.accuracy is not None:
            return f"an accuracy of {self.accuracy:.4f}"
        return f"a loss of {self.loss:.4f}"


def scores_of(log: Log) -> list[Score]:
    """Every evaluation in order: whole passes over a loader by the recorder's own count; without a
    loader, what the program measured between two steps, where all of it was seen.
    """
    found = [
        Score(i, ("loader", int(e["pass_of"])), float(e["accuracy"]), float(e["loss"]), e["model"])
        for i, e in enumerate(log.events)
        if e["k"] == "scored"
    ]
    if found:
        return found
    groups: dict[tuple[int, int], list[Measurement]] = {}
    marks = [i for i, e in enumerate(log.events) if e["k"] in ("step", "cut")]
    for m in evaluations(log):
        group = bisect.bisect(marks, m.begins)
        groups.setdefault((group, int(m.calls[-1].get("at", -1))), []).append(m)
    for (_, at), several in groups.items():
        made = [e for m in several for e in m.made]
        shares = [e["share"] for e in made if e["k"] == "compare" and e.get("share") is not None]
        losses = [e["value"] for e in made if e["k"] == "loss"]
        losses = [v for v in losses if isinstance(v, (int, float))]
        accuracy = sum(shares) / len(shares) if shares else None
        loss = sum(losses) / len(losses) if losses else None
        if accuracy is not None or loss is not None:
            models = {m.calls[-1]["model"] for m in several}
            model = models.pop() if len(models) == 1 else -1
            found.append(Score(several[-1].begins, ("place", at), accuracy, loss, model))
    return sorted(found, key=lambda s: s.index)
