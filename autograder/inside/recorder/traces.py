"""A loss over a whole run, in a bounded number of values."""

from __future__ import annotations

from typing import Any

from .light import plain

TRACE_CAP = 400


class Trace:
    """The values of one line's loss over the run: every `stride`-th, the stride doubling."""

    def __init__(self) -> None:
        self.values: list[float | str | None] = []
        self.stride, self.count = 1, 0

    def add(self, value: Any, scale: float = 1.0) -> None:
        """One more value, which a scaler had multiplied by `scale`."""
        if self.count % self.stride == 0:
            number = plain(value)
            self.values.append(number / scale if isinstance(number, float) else number)
            if len(self.values) >= TRACE_CAP:
                self.values, self.stride = self.values[::2], self.stride * 2
        self.count += 1
