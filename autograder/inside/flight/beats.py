"""Zero, backward, step: what happened to gradients and weights, whoever did it.

Theory. Which parameters a backward pass reaches is read from its graph (the `AccumulateGrad` nodes
at its leaves), not from an optimizer, so that an update written by hand is seen like any other.
Before each backward pass the leaves are looked at: does a gradient of an earlier step still lie
there (`stale`), have the values changed since the last look (`moved`)? After it, and before and
after each step, the norm of the gradients is taken. A step that nobody announced shows as weights
that moved between two backward passes.

Events: `backward` {leaves, stale, fresh, moved, before, after: norms, value, retain, root};
`grad` {leaves} for `torch.autograd.grad`; `zero` {optimizer or model}; `step` {optimizer,
closure, rates, given, nonzero, held, norm, moved}; `clip` {by, limit, before, after};
`unscale`, `scaled_step`, `update` {scale}; `schedule` {type, initial, before, after, step}.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ..recorder import plain
from .hooks import argument
from .log import Event, Flight

NODES_CAP, LEAVES_CAP, OPTIMIZERS_CAP = 20_000, 400, 16


def leaves_of(roots: list[torch.Tensor]) -> list[torch.Tensor]:
    """The leaf tensors that a backward pass from `roots` accumulates gradients into."""
    found: dict[int, torch.Tensor] = {}
    seen: set[Any] = set()
    todo = [r.grad_fn for r in roots if r.grad_fn is not None]
    while todo and len(seen) < NODES_CAP and len(found) < LEAVES_CAP:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            found[id(variable)] = variable
        todo.extend(n for n, _ in node.next_functions if n is not None)
    return list(found.values())


def norm_of(tensors: list[torch.Tensor]) -> float:
    """The Euclidean norm of several tensors together; 0.0 of none."""
    squares = [float(t.detach().float().norm()) ** 2 for t in tensors if not t.is_sparse]
    return math.sqrt(sum(squares))


def signature(tensor: torch.Tensor) -> tuple[float, float]:
    """Two numbers that change when a tensor's values do."""
    flat = tensor.detach().reshape(-1)
    return float(flat.sum(dtype=torch.float64)), float(flat[0]) if flat.numel() else 0.0


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for t in value if isinstance(t, torch.Tensor)] if value is not None else []


@dataclass
class _Known:
    """An optimizer's record. `optimizer` is kept so that its id stays its own."""

    optimizer: Optimizer
    first: int = 0
    steps: int = 0
    rates: list[float] = field(default_factory=list)


class Beats:
    """Watches gradients, updates and what acts on them. See the module."""

    name = "beats"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.optimizers: list[_Known] = []
        self.leaves: dict[int, tuple[torch.Tensor, tuple[float, float]]] = {}
        self._inside = 0
        self._looked = -1
        self._scheduler_depth = 0
        self._stepping_now: dict[int, tuple[Event, list[tuple[float, float]]]] = {}

    def install(self) -> None:
        watch = self.flight.watch
        watch(torch.autograd, "backward", self._before_backward, self._after_backward)
        watch(torch.autograd, "grad", after=self._grad)
        register_optimizer_step_pre_hook(self._stepping)
        register_optimizer_step_post_hook(self._stepped)
        watch(Optimizer, "zero_grad", after=self._zeroed)
        watch(nn.Module, "zero_grad", after=self._zeroed)
        for owner in (nn.utils, nn.utils.clip_grad):
            for name in ("clip_grad_norm_", "clip_grad_value_"):
                self._watch_clipping(owner, name)
        scaler = torch.amp.GradScaler
        watch(scaler, "unscale_", after=self._scaler("unscale"))
        watch(scaler, "step", after=self._scaler("scaled_step"))
        watch(scaler, "update", after=self._scaler("update"))
        for kind in vars(torch.optim.lr_scheduler).values():
            if isinstance(kind, type) and issubclass(kind, LRScheduler) and "step" in vars(kind):
                watch(kind, "step", self._scheduling, self._scheduled)

    # --- backward ------------------------------------------------------------------------------

    def _before_backward(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._inside += 1
        if self._inside > 1:  # a checkpointed segment differentiates within a backward pass
            return None
        flight = self.flight
        if flight.counts["forward"] == self._looked:  # no model was called since: look by yourself
            flight.look()
        self._looked = flight.counts["forward"]
        if not flight.close:
            flight.counts["backward"] += 1
            return None
        roots = _tensors(argument(args, kwargs, 0, "tensors", None))
        leaves = leaves_of(roots)
        held = [p.grad for p in leaves if p.grad is not None]
        stale = [g for g in held if g.is_sparse or bool(g.detach().any())]
        moved = 0
        for leaf in leaves:
            now = signature(leaf)
            before = self.leaves.get(id(leaf))
            moved += before is not None and before[1] != now
            self.leaves[id(leaf)] = (leaf, now)
        event = flight.add(
            "backward",
            leaves=len(leaves),
            stale=len(stale),
            fresh=len(leaves) - len(stale),
            moved=moved,
            before=plain(norm_of(stale)),
            value=plain(roots[0].detach().float().mean()) if roots else None,
            retain=bool(kwargs.get("retain_graph") or kwargs.get("create_graph")),
        )
        return event, leaves

    def _after_backward(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self._inside = max(0, self._inside - 1)
        if note is not None:
            event, leaves = note
            event["after"] = plain(norm_of([p.grad for p in leaves if p.grad is not None]))

    def _grad(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        if not self._inside:
            self.flight.add("grad")

    # --- step and zero -------------------------------------------------------------------------

    def _known(self, optimizer: Optimizer) -> int:
        for i, known in enumerate(self.optimizers):
            if known.optimizer is optimizer:
                return i
        if len(self.optimizers) >= OPTIMIZERS_CAP:
            return -1
        self.optimizers.append(_Known(optimizer))
        return len(self.optimizers) - 1

    def _stepping(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        flight = self.flight
        if not flight.close:
            flight.counts["step"] += 1
            return
        try:
            held = [p for group in optimizer.param_groups for p in group["params"]]
            given = [p.grad for p in held if p.grad is not None]
            event = flight.add(
                "step",
                optimizer=self._known(optimizer),
                closure=any(callable(a) for a in [*args[1:], *kwargs.values()]),
                rates=[plain(g.get("lr")) for g in optimizer.param_groups[:8]],
                held=len(held),
                given=len(given),
                nonzero=sum(g.is_sparse or bool(g.detach().any()) for g in given),
                norm=plain(norm_of(given)),
            )
            self._stepping_now[id(optimizer)] = (event, [signature(p) for p in held])
        except Exception as e:
            flight.fault(e)

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        flight = self.flight
        flight.step += 1
        known = self._known(optimizer)
        if known >= 0:
            record = self.optimizers[known]
            record.first = record.first if record.steps else flight.step - 1
            record.steps += 1
            rate = float(optimizer.param_groups[0].get("lr", 0.0))
            if len(record.rates) < 2_000 and (not record.rates or record.rates[-1] != rate):
                record.rates.append(rate)
        note = self._stepping_now.pop(id(optimizer), None)
        if note is None:
            return
        try:
            event, before = note
            held = [p for group in optimizer.param_groups for p in group["params"]]
            event["moved"] = sum(signature(p) != s for p, s in zip(held, before, strict=False))
            for p in held:  # the step's own work is no update by hand
                if id(p) in self.leaves:
                    self.leaves[id(p)] = (p, signature(p))
        except Exception as e:
            flight.fault(e)

    def _zeroed(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        who = args[0]
        if isinstance(who, Optimizer):
            self.flight.add("zero", optimizer=self._known(who), model=-1)
        else:
            self.flight.add("zero", optimizer=-1, model=self.flight.model(who))

    # --- clipping, scaling, schedules ----------------------------------------------------------

    def _watch_clipping(self, owner: Any, name: str) -> None:
        """The parameters may be a generator, which can be read once: the function gets a list."""
        original = getattr(owner, name)
        by = "norm" if "norm" in name else "value"

        @functools.wraps(original)
        def clipping(parameters: Any, *args: Any, **kwargs: Any) -> Any:
            held = parameters if isinstance(parameters, torch.Tensor) else list(parameters)
            before = norm_of([p.grad for p in _tensors(held) if p.grad is not None])
            result = original(held, *args, **kwargs)
            limit = argument(args, kwargs, 0, "max_norm", kwargs.get("clip_value"))
            after = norm_of([p.grad for p in _tensors(held) if p.grad is not None])
            told = {"limit": plain(limit), "before": plain(before), "after": plain(after)}
            self.flight.add("clip", by=by, **told)
            return result

        setattr(owner, name, clipping)

    def _scaler(self, kind: str) -> Callable[..., None]:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            if args[0].is_enabled():
                self.flight.add(kind, scale=plain(args[0].get_scale()))

        return after

    def _scheduling(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._scheduler_depth += 1
        return [g.get("lr") for g in args[0].optimizer.param_groups[:8]]

    def _scheduled(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self._scheduler_depth = max(0, self._scheduler_depth - 1)
        if self._scheduler_depth:  # a schedule made of schedules tells for itself
            return
        schedule = args[0]
        self.flight.add(
            "schedule",
            type=type(schedule).__name__[:80],
            optimizer=self._known(schedule.optimizer),
            initial=bool(getattr(schedule, "_is_initial", False)),
            before=[plain(r) for r in note or ()],
            after=[plain(g.get("lr")) for g in schedule.optimizer.param_groups[:8]],
            step=self.flight.step,
        )

    def report(self) -> dict[str, Any]:
        """`optimizers`: type, `first` (steps before its own first), steps, the different rates in
        order, and what they hold.
        """
        models = self.flight.models
        return {
            "optimizers": [
                {
                    "type": type(k.optimizer).__name__[:80],
                    "first": k.first,
                    "steps": k.steps,
                    "rates": [plain(r) for r in k.rates],
                    "groups": [
                        {n: plain(v) for n, v in g.items() if isinstance(v, (int, float))}
                        for g in k.optimizer.param_groups[:8]
                    ],
                    "holds": [
                        sum(
                            any(p is q for g in k.optimizer.param_groups for q in g["params"])
                            for p in list(m.parameters())[:LEAVES_CAP]
                        )
                        for m in models
                    ],
                }
                for k in self.optimizers
            ]
        }
