"""Updates written by hand: at which rate they follow the gradient, and how far they lead.

Theory. No optimizer tells its rate here, but the tensors do: where the change of a tensor between
two passes is a negative multiple of its gradient, that multiple is the rate of plain gradient
descent. The first few values of each tensor are enough to see it. Momentum and the like are no
multiple, and give no rate.
"""

from __future__ import annotations

import weakref
from statistics import median
from typing import Any

import torch

from .leaves import together
from .light import plain
from .tensors import concrete, real

VALUES, TENSORS_CAP, RATES_CAP = 64, 200, 1_000
STRAIGHT = 0.3
"""How far, relative to its length, a change may be from a multiple of the gradient: float32 loses
most digits of a change that is small beside the value.
"""


def _first(tensor: torch.Tensor) -> torch.Tensor:
    return real(tensor)[:VALUES].double().clone()


class Hand:
    """Follows the tensors that no optimizer holds."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.steps = 0
        self._start: dict[int, tuple[weakref.ref[torch.Tensor], torch.Tensor]] = {}
        self._given: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def before(self, tensors: list[torch.Tensor]) -> None:
        """Before new gradients come: what was made of those given last."""
        changes, gradients = [], []
        for tensor in filter(concrete, tensors):
            value, gradient = self._given.pop(id(tensor), (None, None))
            if value is not None and gradient is not None and value.shape == _first(tensor).shape:
                changes.append(_first(tensor) - value)
                gradients.append(gradient)
        if not changes:
            return
        change, gradient = torch.cat(changes), torch.cat(gradients)
        size, way = float(gradient @ gradient), float(change.norm())
        if size and way:
            rate = -float(change @ gradient) / size
            straight = float((change + rate * gradient).norm()) < STRAIGHT * way
            self.steps += 1
            if len(self.rates) < RATES_CAP:
                self.rates.append(rate if straight else 0.0)

    def given(self, tensor: torch.Tensor, gradient: torch.Tensor | None) -> None:
        """A gradient has come for a tensor."""
        if gradient is None or not (concrete(tensor) and concrete(gradient)):
            return
        if id(tensor) not in self._start and len(self._start) >= TENSORS_CAP:
            return
        value = _first(tensor)
        known = self._start.get(id(tensor))
        if known is None or known[0]() is not tensor:
            self._start[id(tensor)] = (weakref.ref(tensor), value)
        self._given[id(tensor)] = (value, _first(gradient))

    def forget(self) -> None:
        """Something happened unseen."""
        self._given.clear()

    def report(self) -> dict[str, Any]:
        """`steps` seen, `rate` (their median; 0.0 where they were no plain descent), `travel` of
        the tensors relative to where they began (None where none is left).
        """
        pairs = [(t, start) for ref, start in self._start.values() if (t := ref()) is not None]
        began = together(float(start.norm()) for _, start in pairs)
        way = together(float((_first(t) - start).norm()) for t, start in pairs)
        return {
            "steps": self.steps,
            "rate": plain(median(self.rates)) if self.rates else 0.0,
            "travel": plain(way / began) if began else None,
        }
