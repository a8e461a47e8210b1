"""Sums over a pass of what a program computes batch by batch, to hold its printed figures against.

Theory. Whether an epoch's figure was put together rightly (weighted by rows, divided once, by the
right number) shows when what is printed is held against the parts. So the parts are summed while
they come, in every way that a program might: a few additions per batch, close look or not.

Event `tally` {what: "loss" or "equal", fn, grad, summed, n, total: the sum of the values, weighted:
the sum of value times rows, ratios: the sum of value over rows, rows, least and most: of rows in a
batch, last: value}. One is opened at the first batch of a pass and filled while it lasts; outside
of passes, at the first batch after something was printed.
"""

from __future__ import annotations

from .light import plain
from .log import Event, Flight

Key = tuple[str, str, bool, bool]
"""What is summed; from which function; whether it could be differentiated; whether the value is a
sum over the batch already, not its mean."""


class Tallies:
    """The open sums of one observer."""

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._open: dict[Key, tuple[int, int, Event]] = {}

    def add(self, key: Key, value: float, rows: int) -> None:
        """One batch: its value, and how many rows it had. Not a finite number: left out."""
        flight = self.flight
        number, printed = flight.current_pass, flight.counts["print"]
        found = self._open.get(key)
        if found is None or found[0] != number or (number < 0 and found[1] != printed):
            what, fn, grad, summed = key
            event = flight.always(
                "tally",
                what=what,
                fn=fn,
                grad=grad,
                summed=summed,
                n=0,
                total=0.0,
                weighted=0.0,
                ratios=0.0,
                rows=0,
                least=rows,
                most=rows,
                last=None,
            )
            found = self._open[key] = (number, printed, event)
        event = found[2]
        if isinstance(plain(value), float):
            event["n"] += 1
            event["total"] += value
            event["weighted"] += value * rows
            event["ratios"] += value / rows if rows else 0.0
            event["rows"] += rows
            event["least"] = min(event["least"], rows)
            event["most"] = max(event["most"], rows)
            event["last"] = value
