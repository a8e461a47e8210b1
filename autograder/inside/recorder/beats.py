"""Zero, backward, step: what happened to gradients and weights, whoever did it.

Theory. Which parameters a backward pass reaches is read from its graph, not from an optimizer, so
that an update written by hand is seen like any other. Before and after each pass, and before and
after each step, every leaf is looked at (see `leaves`): whether its gradient was used before, and
whether its values moved. A step that nobody announced shows as weights that moved between two
backward passes. The value of each loss is kept for the whole run, thinned out.

Events: `backward` {number, leaves, stale: with a gradient before, fresh: without, reused: stale and
used by an update before, moved, mixed: updated by hand from mixed gradients, before, after: norms,
value, retain, into: the optimizers that hold leaves, unheld: leaves that none holds, near: whether
one of these is the parameter nearest to the loss, nodes, op: of the root, alive: earlier losses
from this line whose graphs live, batch: batches handed out so far, shrunk: the one factor by which
weights were multiplied by hand, penalty, raised: {older: "loss", "module" or "", module}};
`grad` {retain, nodes, op} for `torch.autograd.grad`; `zero` {optimizer or model, of: the
optimizers concerned}; `step` {optimizer, closure, rates, given, nonzero, held, reached: with a
gradient that came since the last step (-1 unknown), mixed, norm, moved, batch, shrunk: since the
backward pass}.
"""

from __future__ import annotations

import weakref
from collections import Counter, defaultdict
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from . import graphs
from .hand import Hand
from .hooks import argument
from .leaves import Arrival, Leaf, Leaves, norm_of, one_factor, signature, together
from .light import plain
from .log import Event, Flight
from .tensors import modules, parameters
from .traces import Trace

TRACES_CAP, OUTSIDE_CAP = 32, 64


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for t in value if isinstance(t, torch.Tensor)] if value is not None else []


class Beats:
    """Watches gradients and updates. See the module."""

    name = "beats"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.leaves = Leaves()
        self.hand = Hand()
        self.traces: dict[int, Trace] = defaultdict(Trace)
        self._roots: dict[int, list[weakref.ref[graphs.Mark]]] = defaultdict(list)
        self._retained: Counter[int] = Counter()
        self._stepping_now: list[int] = []
        self._looked = -1
        self._before_step: dict[int, list[tuple[torch.Tensor, Leaf | None, float]]] = {}
        self._shrunk: dict[int, float | None] = {}

    def install(self) -> None:
        watch = self.flight.watch
        watch(
            torch.autograd,
            "backward",
            self._before_backward,
            self._after_backward,
            self._backward_raised,
            {"tensors": 0, "grad_tensors": 1, "inputs": 5},
        )
        asked = {"outputs": 0, "inputs": 1, "grad_outputs": 2}
        watch(torch.autograd, "grad", self._before_grad, self._after_grad, once=asked)
        watch(Optimizer, "add_param_group", after=self._added)
        self.flight.placed.handles += [
            register_optimizer_step_pre_hook(self._stepping),
            register_optimizer_step_post_hook(self._stepped),
        ]
        watch(Optimizer, "zero_grad", after=self._zeroed)
        watch(nn.Module, "zero_grad", after=self._zeroed)
        self.flight.listeners["called"].append(self._called)

    # --- backward ------------------------------------------------------------------------------

    def _called(self, told: tuple[nn.Module, Any]) -> None:
        module, output = told
        graphs.mark_outputs(module, output, self.flight.counts["backward"])

    def _before_backward(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        flight = self.flight
        flight.differentiating = True
        at = flight.place()
        roots = _tensors(argument(args, kwargs, 0, "tensors", None))
        self._follow(at, roots)
        calls = flight.counts["forward"]
        if calls == self._looked:  # no model was called since: look by yourself
            flight.learnt()
            flight.look()
        self._looked = calls
        if not flight.close:
            flight.counts["backward"] += 1
            self.leaves.lose_sight()
            self.hand.forget()
            return None
        return self._look_before(at, roots, args, kwargs)

    def _look_before(
        self, at: int, roots: list[torch.Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Event, Arrival, list[torch.Tensor]]:
        flight = self.flight
        tensors, count = graphs.reached(roots)
        only = argument(args, kwargs, 5, "inputs", None)
        if only is not None:
            wanted = {id(t) for t in _tensors(only)}
            tensors = [t for t in tensors if id(t) in wanted]
        for tensor in tensors:
            leaf = self.leaves.of(tensor)
            if leaf is not None:
                leaf.owned = bool(flight.optimizers.owners(tensor))
                leaf.thawed = id(tensor) in flight.frozen
        self.hand.before(tensors)
        found = self.leaves.before_backward(tensors, stepping=bool(self._stepping_now))
        unheld = {id(t) for t in tensors if not flight.optimizers.owners(t)}
        learnable = {id(t) for t in tensors if isinstance(t, nn.Parameter)}
        number = flight.counts["backward"]
        mark = graphs.Mark(number)
        event = flight.add(
            "backward",
            at,
            leaves=len(tensors),
            stale=found.stale,
            fresh=len(found.tracked) - found.stale,
            reused=found.reused,
            moved=found.moved,
            by_hand=found.by_hand,
            mixed=found.mixed_by_hand,
            before=plain(together(found.norms)),
            value=plain(roots[0].detach().float().mean()) if roots else None,
            retain=bool(
                argument(args, kwargs, 2, "retain_graph", None)
                and not argument(args, kwargs, 3, "create_graph", None)
            ),
            into=flight.optimizers.held_by(tensors),
            unheld=len(unheld),
            near=bool(unheld) and graphs.nearest(roots, learnable) in unheld,
            nodes=count,
            number=number,
            op=graphs.root_operation(roots[0]) if roots else "",
            alive=self._alive(at),
            batch=flight.counts["batch"],
            shrunk=plain(one_factor(found.shrunk)),
            penalty=self._penalty(roots),
        )
        if len(roots) == 1 and roots[0].grad_fn is not None:
            graphs.mark_root(roots[0], mark)
            self._roots[at].append(weakref.ref(mark))
        return event, found, roots

    def _alive(self, at: int) -> int:
        """How many earlier losses of this line are still held, with their graphs."""
        self._roots[at] = [r for r in self._roots[at] if r() is not None]
        return len(self._roots[at])

    def _penalty(self, roots: list[torch.Tensor]) -> dict[str, Any] | None:
        """The weights whose square is in the loss, and what their optimizer does to them."""
        if len(roots) != 1 or roots[0].grad_fn is None:
            return None
        found = list(graphs.penalised(roots[0]).values())
        if not found:
            return None
        decays = [self.flight.optimizers.decay(t) for t, _ in found]
        return {
            "leaves": len(found),
            "negative": sum(sign < 0 for _, sign in found),
            "decayed": sum(d != 0 for _, d in decays),
            "optimizer": max(decays, key=lambda pair: pair[1])[0],
            "decay": max(d for _, d in decays),
        }

    def _after_backward(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self.flight.differentiating = False
        self.flight.learnt()
        self.flight.unused += not self._stepping_now
        if not self.flight.optimizers.known:
            self.flight.step += 1
        if note is not None:
            event, arrival, _ = note
            event["after"] = plain(together(self.leaves.after_backward(arrival)))
            for leaf in arrival.tracked:
                tensor = leaf.ref()
                if tensor is not None and not leaf.owned:
                    self.hand.given(tensor, tensor.grad)

    def _backward_raised(
        self, note: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException
    ) -> None:
        self.flight.differentiating = False
        if note is None:
            return
        event, arrival, roots = note
        event["after"] = plain(together(self.leaves.after_backward(arrival)))
        older = graphs.older(roots, self.flight.counts["backward"] - 1)
        told = "loss" if older.root else "module" if older.module else ""
        event["raised"] = {"older": told, "module": older.module}

    def _before_grad(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.flight.differentiating:
            return None
        flight = self.flight
        roots = _tensors(argument(args, kwargs, 0, "outputs", None))
        self._follow(flight.place(), roots)
        if not flight.close:
            flight.counts["grad"] += 1
            self.hand.forget()
            return None
        inputs = argument(args, kwargs, 1, "inputs", None)
        asked = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs or ())
        self.hand.before([t for t in asked if t.is_leaf])
        create = bool(argument(args, kwargs, 4, "create_graph", None))
        flight.add(
            "grad",
            retain=bool(argument(args, kwargs, 3, "retain_graph", None)) and not create,
            nodes=graphs.reached(roots)[1],
            op=graphs.root_operation(roots[0]) if roots else "",
        )
        return [t if t.is_leaf else None for t in asked]

    def _after_grad(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        if self.flight.differentiating:
            return
        self.flight.learnt()
        if not self.flight.optimizers.known:
            self.flight.step += 1
        for tensor, gradient in zip(note or (), result, strict=False):
            if tensor is not None and not self.flight.optimizers.owners(tensor):
                self.hand.given(tensor, gradient)

    def _follow(self, at: int, roots: list[torch.Tensor]) -> None:
        """Keep the value of a loss."""
        room = at in self.traces or len(self.traces) < TRACES_CAP
        if room and len(roots) == 1 and roots[0].numel() == 1:
            self.traces[at].add(roots[0].detach(), self.flight.scale_of(roots[0]))

    # --- step and zero -------------------------------------------------------------------------

    def _stepping(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        flight = self.flight
        self._stepping_now.append(id(optimizer))
        flight.aside(self._look_at, optimizer)

    def _look_at(self, optimizer: Optimizer) -> None:
        """Look at an optimizer's tensors before its step."""
        flight = self.flight
        index = flight.optimizers.refresh(optimizer)
        if index >= 0:
            flight.optimizers.known[index].begin()
        if not flight.close:
            return
        tracked, factors = [], []
        for p in (p for group in optimizer.param_groups for p in group["params"]):
            leaf = self.leaves.of(p)
            if leaf is not None:
                now = signature(p)
                if now != leaf.value and leaf.value[2]:
                    factors.append(now[2] / leaf.value[2])
                leaf.owned, leaf.value = True, now
            tracked.append((p, leaf, norm_of(p.grad)))
        self._before_step[id(optimizer)] = tracked
        self._shrunk[id(optimizer)] = one_factor(factors)

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        flight = self.flight
        flight.step += 1
        flight.used()
        if id(optimizer) in self._stepping_now:
            self._stepping_now.remove(id(optimizer))
        known = flight.optimizers.index(optimizer)
        if known >= 0:
            flight.optimizers.known[known].stepped(flight.step - 1)
        before = self._before_step.pop(id(optimizer), None)
        if before is None or not flight.close:
            flight.counts["step"] += 1
            self.leaves.lose_sight()
        else:
            closure = any(callable(a) for a in [*args[1:], *kwargs.values()])
            flight.aside(self._look_after, optimizer, known, before, closure)
        flight.learnt()

    def _look_after(
        self,
        optimizer: Optimizer,
        index: int,
        before: list[tuple[torch.Tensor, Leaf | None, float]],
        closure: bool,
    ) -> None:
        """Write the step down. A closure's passes lie within the step, so what the gradients
        were is asked afterwards; a step without one leaves them as they were.
        """
        flight = self.flight
        norms = [norm_of(p.grad) if closure else norm for p, _, norm in before]
        tracked = [leaf for _, leaf, _ in before if leaf is not None]
        event = flight.add(
            "step",
            optimizer=index,
            closure=closure,
            rates=[plain(g.get("lr")) for g in optimizer.param_groups[:8]],
            held=len(before),
            given=sum(p.grad is not None for p, _, _ in before),
            nonzero=sum(norm != 0 for norm in norms),
            reached=-1 if self.leaves.blind else sum(leaf.arrived for leaf in tracked),
            mixed=0 if self.leaves.blind else sum(leaf.mixed for leaf in tracked),
            norm=plain(together(norms)),
            batch=flight.counts["batch"],
            shrunk=plain(self._shrunk.pop(id(optimizer), None)),
        )
        moved = 0
        for (p, leaf, _), norm in zip(before, norms, strict=True):
            if leaf is not None:
                now = signature(p)
                moved += now != leaf.value
                leaf.value, leaf.gradient = now, norm
                leaf.consume()
        event["moved"] = moved

    def _added(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        index = self.flight.optimizers.refresh(args[0])
        if index >= 0 and self.flight.optimizers.known[index].at < 0:
            self.flight.optimizers.known[index].at = self.flight.place()

    def _zeroed(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        who, optimizers = args[0], self.flight.optimizers
        if self.flight.unused and not self._stepping_now:
            own = isinstance(who, Optimizer) or optimizers.held_by(list(parameters(who)))
            if own:
                self.flight.thrown_away()
        if not self.flight.close:
            self.flight.counts["zero"] += 1
        elif isinstance(who, Optimizer):
            index = optimizers.index(who)
            self.flight.add("zero", optimizer=index, model=-1, of=[index])
        else:
            of = optimizers.held_by(list(parameters(who)))
            self.flight.add("zero", optimizer=-1, model=self.flight.model(who), of=of)

    # --- what is left at the end ---------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """`optimizers`: type, `first` (steps before its own first), steps, rates in order, groups,
        `holds` (how many tensors of each model), `idle` (held, never reached, in no model called),
        `travel` (how far its tensors went, relative to where they began); `leaves`: of those that
        gradients arrived at, per model; `hand`: updates by hand; `traces`: each line's losses.
        """
        models, optimizers = self.flight.models, self.flight.optimizers
        alive = self.leaves.alive()
        ever = {id(t) for t, leaf in alive if leaf.ever}
        owned = [parameters(m) for m in models]
        called = {id(p) for own in owned for p in own}
        told = []
        for k in optimizers.known:
            held = k.held
            ids = {id(p) for p in held}
            idle = [p for p in held if p.requires_grad and id(p) not in ever | called]
            told.append(
                {
                    "type": type(k.optimizer).__name__[:80],
                    "first": k.first,
                    "steps": k.steps,
                    "rates": [plain(r) for r in k.rates],
                    "groups": [
                        {n: plain(v) for n, v in g.items() if isinstance(v, (int, float))}
                        for g in k.optimizer.param_groups[:8]
                    ],
                    "held": len(held),
                    "reached": sum(id(p) in ever for p in held),
                    "idle": len(idle),
                    "holds": [sum(id(p) in ids for p in own) for own in owned],
                    "at": k.at,
                    "travel": plain(k.travel()),
                }
            )
        return {
            "optimizers": told,
            "hand": self.hand.report(),
            "leaves": [self.leaves.arrived(m, optimizers) for m in models],
            "outside": self._outside(),
            "windows": self.flight.windows,
            "thrown": self.flight.thrown_at,
            "traces": [
                {"at": at, "stride": t.stride, "count": t.count, "values": t.values}
                for at, t in self.traces.items()
            ],
        }

    def _outside(self) -> list[dict[str, Any]]:
        """The parameters that gradients arrived at, that no optimizer holds and that never moved:
        {name, owner: the class of the module they are set on, "" of none that was called, standard:
        whether that class is torch's own, numbers, passes: closely seen ones that reached it}.
        """
        names: dict[int, tuple[str, type]] = {}
        for model in [*self.flight.models, *self.flight.others]:
            for module in modules(model):
                for name, p in (getattr(module, "_parameters", None) or {}).items():
                    names.setdefault(id(p), (name, type(module)))
        told = []
        for tensor, leaf in self.leaves.alive():
            moved = signature(tensor) != leaf.first
            held = self.flight.optimizers.owners(tensor)
            if moved or held or not (leaf.ever and isinstance(tensor, nn.Parameter)):
                continue
            name, kind = names.get(id(tensor), ("", type(None)))
            told.append(
                {
                    "name": str(name)[:60],
                    "owner": kind.__name__[:80] if id(tensor) in names else "",
                    "standard": kind.__module__.startswith("torch."),
                    "numbers": tensor.numel(),
                    "passes": leaf.passes,
                }
            )
        return told[:OUTSIDE_CAP]
