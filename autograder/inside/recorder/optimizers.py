"""Every optimizer of a run, from the moment it is made, and which tensors each of them holds.

Theory. Whoever asks "does anybody update this tensor?" must know an optimizer before its first
step, and must know of the groups that were added later. `add_param_group` is the one door that
every tensor passes, at construction as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch.optim.optimizer import Optimizer

from .tensors import concrete, real

OPTIMIZERS_CAP, RATES_CAP, KEPT_NUMBERS = 32, 2_000, 4_096


def _first(tensor: torch.Tensor) -> torch.Tensor:
    return real(tensor)[:KEPT_NUMBERS] if concrete(tensor) else torch.zeros(0)


@dataclass
class Known:
    """One optimizer's record. `optimizer` is kept so that its id stays its own.

    `steps` it made, `first` the steps that others had made before its own first, `rates` the
    different learning rates of its first group in order, `at` the place where it was made.
    """

    optimizer: Optimizer
    steps: int = 0
    first: int = 0
    rates: list[float] = field(default_factory=list)
    start: list[torch.Tensor] | None = None
    at: int = -1

    @property
    def held(self) -> list[torch.Tensor]:
        """The tensors it holds now, of all groups."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def begin(self) -> None:
        """Keep the first values of its tensors, before its first step."""
        if self.start is None:
            self.start = [_first(p).clone() for p in self.held]

    def travel(self) -> float | None:
        """How far its tensors went, over the length of where they began; None for no way told."""
        pairs = list(zip(self.start or (), map(_first, self.held), strict=False))
        pairs = [(a, b) for a, b in pairs if a.shape == b.shape]
        began = math.hypot(*(float(a.float().norm()) for a, _ in pairs))
        way = math.hypot(*(float((a - b).float().norm()) for a, b in pairs))
        return way / began if began else None

    def stepped(self, before: int) -> None:
        """It made a step, after `before` steps of the whole program."""
        self.first = self.first if self.steps else before
        self.steps += 1
        rate = float(self.optimizer.param_groups[0].get("lr", 0.0))
        if len(self.rates) < RATES_CAP and (not self.rates or self.rates[-1] != rate):
            self.rates.append(rate)


class Optimizers:
    """The optimizers by index, and the owners of tensors."""

    def __init__(self) -> None:
        self.known: list[Known] = []
        self._owners: dict[int, set[int]] = {}

    def index(self, optimizer: Optimizer) -> int:
        """Its index; -1 beyond the cap."""
        for i, known in enumerate(self.known):
            if known.optimizer is optimizer:
                return i
        if len(self.known) >= OPTIMIZERS_CAP:
            return -1
        self.known.append(Known(optimizer))
        return len(self.known) - 1

    def refresh(self, optimizer: Optimizer) -> int:
        """Read its groups anew; its index."""
        index = self.index(optimizer)
        if index >= 0:
            for p in self.known[index].held:
                self._owners.setdefault(id(p), set()).add(index)
        return index

    def owners(self, tensor: torch.Tensor) -> set[int]:
        """The indices of the optimizers that hold a tensor."""
        return {
            i
            for i in self._owners.get(id(tensor), ())
            if any(p is tensor for p in self.known[i].held)
        }

    def stepped(self, tensor: torch.Tensor) -> bool:
        """Whether any optimizer that holds a tensor ever made a step."""
        return any(self.known[i].steps for i in self.owners(tensor))

    def held_by(self, tensors: list[torch.Tensor]) -> list[int]:
        """The indices of all optimizers that hold any of these tensors."""
        return sorted({i for t in tensors for i in self._owners.get(id(t), ())})

    def decay(self, tensor: torch.Tensor) -> tuple[str, float]:
        """The class of the optimizer that decays a tensor most, and by how much; ("", 0.0) where
        none holds it.
        """
        found = [
            (type(self.known[i].optimizer).__name__[:80], float(group.get("weight_decay") or 0.0))
            for i in sorted(self._owners.get(id(tensor), ()))
            for group in self.known[i].optimizer.param_groups
            if any(p is tensor for p in group["params"])
        ]
        return max(found, key=lambda pair: pair[1], default=("", 0.0))
