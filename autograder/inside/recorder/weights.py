"""What belongs to a model, what it uses without owning it, and how its weights began.

Theory. `parameters()` reaches what a model has registered and nothing else. A layer kept in a
plain list, or a tensor that was never made a parameter, takes part in the forward pass, gets its
gradient, and is never moved, since no optimizer was told of it. So whatever is called within a
model and is not among its modules is remembered, with every leaf tensor found beside the
parameters; after the run it is asked whether a gradient arrived there and whether it moved.

Weights that all begin as one number make all units of a layer equal, and equal gradients keep them
so. Two such layers in a row are remembered at the first call and looked at again at the end.

Section, one per model: `strangers`: {class, at, numbers, given, moved, training}; `loose`:
{name, numbers, given, moved}; `constant`: {layers, weights, value, units, still}, or None.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import UninitializedParameter

from .light import plain
from .log import Flight
from .tensors import concrete, modules, named_parameters, parameters, real

NEAR = 0.5
"""How far, relative to its length, averaged weights are from those they are made of at most: two
that began apart are about 1.4 from each other.
"""
STRANGERS_CAP, LOOSE_CAP, NUMBERS_CAP, ORIGIN_CAP = 40, 200, 50_000_000, 5_000_000


@dataclass
class _Met:
    """One model: what it owned when it was first called. Tensors are kept with their values."""

    module: nn.Module
    own: set[int]
    loose: list[tuple[str, torch.Tensor, torch.Tensor]]
    constant: list[tuple[str, torch.Tensor]]
    weights: int
    value: float
    norms: list[_BatchNorm]
    origin: list[torch.Tensor]
    strangers: dict[int, tuple[nn.Module, int, list[torch.Tensor]]] = field(default_factory=dict)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _own(module: nn.Module) -> set[int]:
    return {id(m) for m in modules(module)} | {id(p) for p in parameters(module)}


def _held(value: Any, depth: int = 2) -> Iterator[torch.Tensor]:
    """Leaf tensors in a plain value: itself, or within lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        if value.requires_grad and value.is_leaf:
            yield value
    elif depth and isinstance(value, (list, tuple, dict)):
        for inner in list(value.values() if isinstance(value, dict) else value)[:LOOSE_CAP]:
            yield from _held(inner, depth - 1)


def _loose(module: nn.Module, own: set[int]) -> list[tuple[str, torch.Tensor]]:
    """Leaf tensors among the plain attributes of a model and of its modules."""
    found: dict[int, tuple[str, torch.Tensor]] = {}
    for inner in modules(module):
        for name, value in vars(inner).items():
            if not name.startswith("_"):
                for tensor in _held(value):
                    if id(tensor) not in own:
                        found[id(tensor)] = (name[:60], tensor)
    return list(found.values())[:LOOSE_CAP]


def _constant(module: nn.Module) -> tuple[list[tuple[str, torch.Tensor]], int]:
    """The weight matrices that hold one number only and meet another such one, and how many
    matrices there are in all.
    """
    matrices = [(n, p) for n, p in named_parameters(module) if p.ndim > 1 and p.requires_grad]
    flat = [(n, p) for n, p in matrices if p.numel() > 1 and bool((p == p.flatten()[0]).all())]
    for (n, a), (m, b) in itertools.pairwise(flat):
        meets = a.shape[0] == b.shape[1] > 1 or a.shape[1] == b.shape[0] > 1
        if meets:
            return [(n, a), (m, b)], len(matrices)
    return [], len(matrices)


def _sums(tensors: Iterable[torch.Tensor]) -> list[float]:
    """One number a tensor, which changes when its values do."""
    return [float(real(t).double().sum()) if concrete(t) else 0.0 for t in tensors]


def _distance(a: Sequence[torch.Tensor], b: Sequence[torch.Tensor] | None) -> float:
    """How far two models' weights are apart; with None, how long the first are."""
    parts = (
        [x.detach() for x in a]
        if b is None
        else [x.detach() - y.detach() for x, y in zip(a, b, strict=True)]
    )
    return math.hypot(*(float(real(p).double().norm()) for p in parts))


def _learnable(module: nn.Module) -> list[torch.Tensor]:
    """A module's own parameters, without those of the modules within, as far as they learn."""
    held = getattr(module, "_parameters", None) or {}
    return [p for p in held.values() if isinstance(p, torch.Tensor) and p.requires_grad]


class Weights:
    """Watches what models own. `Forwards` tells it of calls."""

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.met: dict[int, _Met] = {}
        self._told: dict[int, int] = {}

    def meet(self, index: int, module: nn.Module) -> None:
        """A model is about to be called: at its first call, look at what it owns."""
        if index < 0 or index in self.met:
            return
        own = parameters(module)
        if any(isinstance(p, UninitializedParameter) or not concrete(p) for p in own):
            return
        if sum(p.numel() for p in own) > NUMBERS_CAP:
            return
        owned = _own(module)
        loose = [(n, t, _copy(t)) for n, t in _loose(module, owned)]
        constant, weights = _constant(module)
        value = float(constant[0][1].detach().flatten()[0]) if constant else 0.0
        norms = [m for m in modules(module) if isinstance(m, _BatchNorm)]
        norms = [m for m in norms if m.running_mean is not None and m.running_var is not None]
        kept = norms and sum(p.numel() for p in own) <= ORIGIN_CAP
        origin = [_copy(p) for p in own] if kept else []
        self.met[index] = _Met(module, owned, loose, constant, weights, value, norms, origin)

    def birth(self, index: int) -> dict[str, Any] | None:
        """Of a model with batch norm that is called in evaluation mode: {tracked: batches that its
        statistics have seen, stats, weights: numbers that change when these do, newborn: whether
        its statistics are those that a layer is made with, although its weights are a trained
        model's; copied: see `_copied`}. Told once between two updates.
        """
        met = self.met.get(index)
        if met is None or not met.norms or self._told.get(index) == self.flight.step:
            return None
        self._told[index] = self.flight.step
        seen = [m.num_batches_tracked for m in met.norms if m.num_batches_tracked is not None]
        tracked = sum(int(n) for n in seen)
        means = [m.running_mean for m in met.norms if m.running_mean is not None]
        spreads = [m.running_var for m in met.norms if m.running_var is not None]
        fresh = all(bool((m == 0).all()) for m in means) and all(
            bool((v == 1).all()) for v in spreads
        )
        return {
            "tracked": tracked,
            "stats": plain(sum(_sums([*means, *spreads]))),
            "weights": plain(sum(_sums(parameters(met.module)))),
            "newborn": tracked == 0 and fresh and self._grown(index),
            "copied": self._copied(index, [*means, *spreads]),
        }

    def _copied(self, index: int, stats: list[torch.Tensor]) -> str:
        """Whether a model's statistics are, at this moment, those of another one with the same
        layers: "same" where its weights are, too, "other" where they are not, "" if they are not.
        """
        mine, sums = _sums(stats), _sums(parameters(self.met[index].module))
        for other, met in self.met.items():
            layers = [m for m in met.norms if m.running_mean is not None]
            theirs = [m.running_mean for m in layers] + [m.running_var for m in layers]
            if other != index and mine and mine == _sums(t for t in theirs if t is not None):
                weights = _sums(parameters(met.module))
                if len(weights) == len(sums):
                    return "same" if weights == sums else "other"
        return ""

    def _grown(self, index: int) -> bool:
        """Whether a model's weights are those of another that has been trained, or near them, and
        nearer than to those that it began with.
        """
        mine = parameters(self.met[index].module)
        for other, met in self.met.items():
            theirs = parameters(met.module)
            alike = [p.shape for p in mine] == [p.shape for p in theirs]
            if other != index and alike and met.origin:
                away, size = _distance(mine, theirs), _distance(theirs, None)
                if away < NEAR * size and away < _distance(mine, met.origin):
                    return True
        return False

    def owns(self, index: int, inner: nn.Module) -> bool:
        """Whether a module is among those of a model, as it is now."""
        met = self.met.get(index)
        if met is not None and id(inner) not in met.own:
            met.own |= _own(met.module)  # it may have been added since
        return met is None or id(inner) in met.own

    def within(self, index: int, inner: nn.Module) -> None:
        """A module is called within a model: if it has weights of its own, is it known there?"""
        if self.owns(index, inner) or not torch.is_grad_enabled():
            return
        met = self.met[index]
        weights = _learnable(inner)
        if not weights:
            return
        if id(inner) not in met.strangers and len(met.strangers) < STRANGERS_CAP:
            seen = [_copy(p) for p in weights if not isinstance(p, UninitializedParameter)]
            met.strangers[id(inner)] = (inner, self.flight.place(), seen)

    def told(self, index: int) -> dict[str, Any]:
        """What is known of a model at the end; see the module."""
        met = self.met.get(index)
        if met is None:
            return {"strangers": [], "loose": [], "constant": None}
        own = {id(p) for p in parameters(met.module)}
        strangers = []
        for inner, at, seen in met.strangers.values():
            weights = _learnable(inner)
            if any(id(p) in own for p in weights):
                continue
            strangers.append(
                {
                    "class": type(inner).__name__[:80],
                    "at": at,
                    "numbers": sum(p.numel() for p in weights),
                    "given": sum(p.grad is not None for p in weights),
                    "moved": sum(
                        not torch.equal(p, old) for p, old in zip(weights, seen, strict=False)
                    ),
                    "training": inner.training,
                }
            )
        loose = [
            {
                "name": name,
                "numbers": t.numel(),
                "given": int(t.grad is not None),
                "moved": int(not torch.equal(t, old)),
            }
            for name, t, old in met.loose
        ]
        return {"strangers": strangers, "loose": loose, "constant": self._end(met)}

    def _end(self, met: _Met) -> dict[str, Any] | None:
        if not met.constant:
            return None
        first = met.constant[0][1]
        rows = first.detach().reshape(len(first), -1)
        still = bool((rows == rows[:1]).all()) or bool((rows == rows[:, :1]).all())
        return {
            "layers": [n[:80] for n, _ in met.constant],
            "weights": met.weights,
            "value": plain(met.value),
            "units": len(first),
            "still": still,
        }
