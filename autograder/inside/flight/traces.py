"""A loss over a whole run, in a bounded number of values."""

from __future__ import annotations

from typing import Any

from ..recorder import plain

TRACE_CAP = 400


class Trace:
    """The values of one line's loss over the run: every `stride`-th, the stride doubling."""

    def __init__(self) -> None:
        self.values: list[float | str | None] = []
        self.stride, self.count = 1, 0

    def add(self, value: Any) -> None:
        """One more value."""
        if self.count % self.stride == 0:
            self.values.append(plain(value))
            if len(self.values) >= TRACE_CAP:
                self.values, self.stride = self.values[::2], self.stride * 2
        self.count += 1
