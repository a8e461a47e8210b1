"""What happened to each leaf of the graphs: whose gradients lie there, and did its values move.

Theory. A gradient is *used* once an update has been made from it. Where a backward pass adds to
a used gradient, the next update follows the old batch again: its gradients are *mixed*. That is
told leaf by leaf and update by update, so two models that pass gradients through one another, or
gradients that were left behind and cleared in time, are told from a forgotten clearing.

An update is an optimizer's step, or, for a tensor that no optimizer holds, a change of its values
between two backward passes. A leaf's values are told by a few numbers (`Signature`), its gradient
by its norm.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import nn

from .optimizers import Optimizers
from .tensors import concrete, parameters, real

TRACKED_CAP = 2_000
SAME_FACTOR = 1e-6
Signature = tuple[int, float, float]


def signature(tensor: torch.Tensor) -> Signature:
    """Numbers that change when a tensor's values do: its version, its sum, its first value."""
    # an in-place change counts the version up; an inference tensor has none
    version = 0 if tensor.is_inference() else tensor._version  # noqa: SLF001
    if not concrete(tensor) or not tensor.numel():
        return version, 0.0, 0.0
    flat = real(tensor)
    return version, float(flat.sum()), float(flat[0])


def norm_of(gradient: torch.Tensor | None) -> float:
    """A gradient's Euclidean norm, dense or sparse; 0.0 of none."""
    if gradient is None:
        return 0.0
    values = gradient.detach()
    values = values.coalesce().values() if values.is_sparse else values
    return float(real(values).float().norm()) if concrete(values) else 0.0


def together(norms: Iterable[float]) -> float:
    """The norm of several tensors together, from the norm of each."""
    return math.sqrt(sum(n * n for n in norms))


def one_factor(factors: list[float]) -> float | None:
    """The one factor by which several tensors were multiplied; None where it is not one."""
    same = len(factors) > 1 and max(factors) - min(factors) < SAME_FACTOR
    return sum(factors) / len(factors) if same else None


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


@dataclass
class Leaf:
    """One tensor that gradients arrive at.

    `first` and `value` its signatures when first and last looked at, `gradient` the norm last
    seen, `used` and `mixed` as the module tells, `arrived` whether a gradient came since the last
    update, `ever` whether any ever did and `passes` how often, `thawed` whether it was frozen
    before.
    """

    ref: weakref.ref[torch.Tensor]
    first: Signature
    value: Signature
    gradient: float = 0.0
    used: bool = False
    mixed: bool = False
    arrived: bool = False
    ever: bool = False
    passes: int = 0
    owned: bool = False
    thawed: bool = False

    def consume(self) -> None:
        """An update was made from the gradient that lies here."""
        self.used, self.mixed, self.arrived = self.gradient != 0, False, False


@dataclass
class Arrival:
    """What a look before a backward pass found: leaves by kind, the norms of what lay there, and by
    which factors the first values of those were changed that only an optimizer should change.
    """

    tracked: list[Leaf] = field(default_factory=list)
    stale: int = 0
    reused: int = 0
    moved: int = 0
    by_hand: int = 0
    mixed_by_hand: int = 0
    norms: list[float] = field(default_factory=list)
    shrunk: list[float] = field(default_factory=list)


class Leaves:
    """All leaves looked at. Weak: a leaf that the program drops is forgotten."""

    def __init__(self) -> None:
        self._leaves: dict[int, Leaf] = {}
        self.blind = False

    def of(self, tensor: torch.Tensor) -> Leaf | None:
        """A leaf's record, made where there is none; None beyond the cap."""
        known = self._leaves.get(id(tensor))
        if known is not None and known.ref() is tensor:
            return known
        if len(self._leaves) >= TRACKED_CAP:
            self._leaves = {k: v for k, v in list(self._leaves.items()) if v.ref() is not None}
            if len(self._leaves) >= TRACKED_CAP:
                return None
        now = signature(tensor)
        made = self._leaves[id(tensor)] = Leaf(weakref.ref(tensor), now, now)
        return made

    def alive(self) -> list[tuple[torch.Tensor, Leaf]]:
        """Every leaf that is still there, with its record."""
        found = [(leaf.ref(), leaf) for leaf in list(self._leaves.values())]
        return [(t, leaf) for t, leaf in found if t is not None]

    def lose_sight(self) -> None:
        """Something happened unseen: what gradients hold is unknown until the next update."""
        self.blind = True

    def _look_again(self) -> None:
        if self.blind:
            self.blind = False
            for leaf in list(self._leaves.values()):
                leaf.used = leaf.mixed = leaf.arrived = False
                leaf.gradient = math.nan
                tensor = leaf.ref()
                if tensor is not None:
                    leaf.value = signature(tensor)

    def before_backward(self, tensors: list[torch.Tensor], stepping: bool) -> Arrival:
        """Look at the leaves that a pass is about to fill. `stepping`: within an optimizer's own
        closure, where the optimizer itself moves the values between two passes.
        """
        self._look_again()
        found = Arrival()
        for tensor in tensors:
            leaf = self.of(tensor)
            if leaf is None:
                continue
            found.tracked.append(leaf)
            now, norm = signature(tensor), norm_of(tensor.grad)
            moved = now != leaf.value
            if moved and (stepping or not leaf.owned):
                found.by_hand += not leaf.owned
                found.mixed_by_hand += leaf.mixed
                unchanged = _same(norm, leaf.gradient)
                leaf.consume()
                leaf.used = leaf.used and unchanged
            elif moved and leaf.owned and leaf.value[2]:
                found.shrunk.append(now[2] / leaf.value[2])
            found.moved += moved
            if norm == 0:
                leaf.used = leaf.mixed = leaf.arrived = False
            else:
                found.stale += 1
                found.norms.append(norm)
                if leaf.used and _same(norm, leaf.gradient):
                    found.reused += 1
                    leaf.mixed = True
            leaf.used, leaf.value, leaf.gradient = False, now, norm
        return found

    def after_backward(self, arrival: Arrival) -> list[float]:
        """Note what has arrived; the norm of each leaf's gradient."""
        norms = []
        for leaf in arrival.tracked:
            tensor = leaf.ref()
            if tensor is None:
                continue
            norm = norm_of(tensor.grad)
            came = norm != 0 and not _same(norm, leaf.gradient)
            leaf.arrived = leaf.arrived or came
            leaf.passes += came
            leaf.ever = leaf.ever or leaf.arrived
            leaf.gradient = norm
            norms.append(norm)
        return norms

    def arrived(self, model: nn.Module, optimizers: Optimizers) -> dict[str, int]:
        """Of a model's tensors: `reached` by a gradient; of these `left`, which no optimizer that
        stepped holds and which never moved; and of these again `thawed`, frozen when first called.
        """
        own = {id(p) for p in parameters(model)}
        reached = [(t, leaf) for t, leaf in self.alive() if id(t) in own and leaf.ever]
        still = [
            leaf for t, leaf in reached if not optimizers.stepped(t) and signature(t) == leaf.first
        ]
        thawed = sum(leaf.thawed for leaf in still)
        return {"reached": len(reached), "left": len(still), "thawed": thawed}
