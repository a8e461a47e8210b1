"""What is saved, loaded and put back.

Events: `save` {file, holds, step, alias, named, safe: whether its classes are registered for safe
loading}; `load` {file, holds, safe: whether it was such a loading}; `state` {of: "model" or
"optimizer" or "scheduler" or "scaler", step} when a state_dict is taken; `restore` {of, model,
optimizer, alias, self} when one is put back, `self` where it is the model's own state of now.
`named` tells whether something called the best is, at that moment, the live model under another
name. `holds` tells what an object is: "module", "state"
(names to tensors), "optimizer", "scheduler", "mapping" with the kinds of its entries, or the name
of its class.

A state_dict's tensors are objects of their own that share the model's storage. So where one that
was taken at an earlier step comes back and still shares its storage with the model, it was never a
copy: it has moved along with every step since. `alias` is the step it was taken at, or -1.
"""

from __future__ import annotations

import os
import pickle  # watched, never used: a program may write a model with it
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from .log import Flight
from .tensors import concrete, parameters

T = TypeVar("T")
KEYS_CAP, TAKEN_CAP, DEPTH_CAP = 40, 20_000, 4


def holds(value: Any) -> dict[str, Any]:
    """What an object that was saved or loaded is: {"kind", "entries": {key: kind}}."""
    if isinstance(value, nn.Module):
        return {"kind": "module", "class": _class(value), "entries": {}}
    if isinstance(value, dict):
        if value and all(isinstance(v, torch.Tensor) for v in value.values()):
            return {"kind": "state", "entries": {}}
        if set(value) == {"state", "param_groups"}:
            kept = value["state"]
            memory = any(kept.values()) if isinstance(kept, dict) else False
            return {"kind": "optimizer" if memory else "stateless optimizer", "entries": {}}
        if "last_epoch" in value and "_step_count" in value:
            return {"kind": "scheduler", "entries": {}}
        entries = {str(k)[:60]: _kind(v) for k, v in list(value.items())[:KEYS_CAP]}
        return {"kind": "mapping", "entries": entries}
    return {"kind": _kind(value), "entries": {}}


def _kind(value: Any) -> str:
    """The kind of an entry; "module" also of a list, or a mapping, with one somewhere in it."""
    if isinstance(value, (dict, list, tuple)) and any(within(value, nn.Module)):
        return "module"
    return str(holds(value)["kind"]) if isinstance(value, (dict, nn.Module)) else _class(value)


def _class(value: Any) -> str:
    return type(value).__name__[:80]


def within(value: Any, kind: type[T], depth: int = 0) -> Iterator[T]:
    """The objects of a kind within mappings and sequences, up to a few levels deep."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (dict, list, tuple)) and depth < DEPTH_CAP:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from within(inner, kind, depth + 1)


def _safely(kwargs: dict[str, Any]) -> bool:
    """Whether a load takes tensors and registered classes only: so by default."""
    asked = kwargs.get("weights_only")
    if asked is None:
        forced = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "").lower()
        return kwargs.get("pickle_module") is None and forced not in ("1", "y", "yes", "true")
    return bool(asked)


def _registered(value: Any) -> bool:
    """Whether the program has registered the classes of the modules in `value` as safe to load."""
    known = {g[0] if isinstance(g, tuple) else g for g in torch.serialization.get_safe_globals()}
    found = [*within(value, nn.Module)]
    return bool(found) and all(type(m) in known for m in found)


def placed(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a place in memory of its own."""
    return concrete(tensor) and tensor.numel() > 0


def addresses(module: nn.Module) -> set[int]:
    """Where a module's parameters lie in memory."""
    return {p.data_ptr() for p in parameters(module) if placed(p)}


def _holds_model(value: Any, models: list[nn.Module]) -> bool:
    """Whether an object of the program's keeps one of these modules as an attribute."""
    held = getattr(value, "__dict__", None)
    if not isinstance(held, dict) or isinstance(value, (type, nn.Module)):
        return False
    return any(inner is m for inner in held.values() for m in models)


class Files:
    """Watches saving, loading and state_dicts. See the module."""

    name = "files"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._taken_at: dict[int, tuple[torch.Tensor, int]] = {}
        self._last_taken: dict[int, int] = {}

    def install(self) -> None:
        watch = self.flight.watch
        watch(torch, "save", after=self._saved)
        watch(torch, "load", after=self._loaded)
        watch(pickle, "dump", after=self._saved)
        for owner, of in (
            (nn.Module, "model"),
            (Optimizer, "optimizer"),
            (LRScheduler, "scheduler"),
            (torch.amp.GradScaler, "scaler"),
        ):
            watch(owner, "state_dict", after=self._taken(of))
            watch(owner, "load_state_dict", after=self._restored(of))

    def _file(self, target: Any) -> str:
        name = target if isinstance(target, (str, os.PathLike)) else getattr(target, "name", "")
        return os.path.basename(str(name))[-100:]

    def _saved(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        value = args[0] if args else kwargs.get("obj")
        target = args[1] if len(args) > 1 else kwargs.get("f")
        step = self.flight.step
        told = {"file": self._file(target), "holds": holds(value), "alias": self._alias(value)}
        told["safe"] = _registered(value)
        told["named"] = any(map(self._called_best, self.flight.scopes()))
        self.flight.always("save", **told, step=step)

    def _loaded(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        source = args[0] if args else kwargs.get("f")
        told = {"file": self._file(source), "holds": holds(result), "safe": _safely(kwargs)}
        self.flight.always("load", **told, step=self.flight.step)

    def _called_best(self, names: dict[str, Any]) -> bool:
        """Whether something called the best is a live model under its second name."""
        modules = {n: v for n, v in names.items() if isinstance(v, nn.Module)}
        best = [v for n, v in modules.items() if "best" in n.lower()]
        others = [v for n, v in modules.items() if "best" not in n.lower()]
        others += [m for m in names.values() if _holds_model(m, best)]
        return any(b is o or _holds_model(o, [b]) for b in best for o in others)

    def _alias(self, value: Any) -> int:
        """The step at which a state in `value` was taken that still lives in a model's storage and
        is older than now; -1 where there is none.
        """
        living = {a for m in self.flight.models for a in addresses(m)}
        for tensor in within(value, torch.Tensor):
            kept = self._taken_at.get(id(tensor))
            older = kept is not None and kept[1] < self.flight.step
            if kept is not None and older and placed(tensor) and tensor.data_ptr() in living:
                return kept[1]
        return -1

    def _view(self, module: Any, state: Any) -> int:
        """The step at which a state was last taken of a module that is given its own memory back,
        through views of it (`detach`, `cpu`) which are no copies; -1 where that was now.
        """
        own = addresses(module)
        given = [t for t in within(state, torch.Tensor) if t.is_floating_point() and placed(t)]
        views = [t.data_ptr() in own and not isinstance(t, nn.Parameter) for t in given]
        taken = self._last_taken.get(id(module), self.flight.step)
        return taken if own and sum(views) >= len(own) and taken < self.flight.step else -1

    def _own(self, module: Any, state: Any) -> bool:
        """Whether a module is given what lies in its own memory."""
        own = addresses(module)
        return bool(own) and own <= {t.data_ptr() for t in within(state, torch.Tensor) if placed(t)}

    def _taken(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            self.flight.always("state", of=of, step=self.flight.step)
            if of == "model":
                self._last_taken[id(args[0])] = self.flight.step
                if len(self._taken_at) < TAKEN_CAP:
                    step = self.flight.step
                    self._taken_at.update({id(t): (t, step) for t in within(result, torch.Tensor)})

        return after

    def _restored(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            index = self.flight.model(args[0]) if of == "model" else -1
            state = args[1] if len(args) > 1 else kwargs.get("state_dict")
            alias = max(self._alias(state), self._view(args[0], state)) if index >= 0 else -1
            own = self.flight.optimizers.index(args[0]) if of == "optimizer" else -1
            told = {"of": of, "model": index, "optimizer": own, "alias": alias}
            told["self"] = index >= 0 and self._own(args[0], state)
            self.flight.always("restore", **told, step=self.flight.step)

        return after

    def report(self) -> dict[str, Any]:
        """`named`: whether at the end something called the best is the live model itself."""
        return {"named": self._called_best(self.flight.program.namespace)}
