"""Putting our objects in the place of a program's globals, and calling its functions so.

Theory. In a program whose functions take no arguments, what they work on are globals, so a
replay binds those names to its own objects. A student may reach the same object by other
ways, all legitimate: an alias (`net = model`), a parameter with a default (`def
train_one_epoch(loader=train_loader)`), a parameter without one, a closure, a
`functools.partial`. Whatever *is* the old object is exchanged wherever it is found; a bare
parameter is served by its name.

An object of the program's own may hold the old ones too (a trainer that was given the model). They
are exchanged there only `after` an attempt that did without: what else such an object keeps may
belong to the old ones, as an average of weights belongs to its model.

A global learning-rate scheduler is exchanged too, for one that does nothing: it belongs to the
old optimizer, and its run may be over.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from ..program import Program

ROLES: dict[str, tuple[str, ...]] = {
    "model": ("model", "net", "network", "mlp"),
    "criterion": ("criterion", "loss_fn", "loss_function", "loss_func"),
    "optimizer": ("optimizer", "optim", "opt"),
    "scaler": ("scaler", "grad_scaler"),
    "train_loader": ("train_loader", "trainloader", "train_dataloader", "train_dl"),
    "test_loader": ("test_loader", "testloader", "test_dataloader", "test_dl", "val_loader"),
}
LOADERS = ("loader", "dataloader", "data_loader", "dl", "data", "batches")
EPOCHS = ("epoch", "ep", "e", "i")
DEPTH = 4


class _Still(LRScheduler):
    """A scheduler that leaves the rate alone and takes any argument."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.last_epoch = 0
        self.base_lrs = [group["lr"] for group in optimizer.param_groups]
        self._last_lr = list(self.base_lrs)

    def step(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def get_lr(self) -> list[Any]:
        return list(self.base_lrs)


def _own(value: Any, program: Program) -> bool:
    """Whether `value` is a class of the program's, or an object of one that keeps attributes."""
    made = value if isinstance(value, type) else type(value)
    own = made.__module__ == program.module.__name__ or made is types.SimpleNamespace
    return own and hasattr(value, "__dict__")


class Binding:
    """`objects` (by global name) bound into `program`; `call` then calls its functions. `after`
    an earlier binding, they also take the place of the old ones within the program's own objects.
    """

    def __init__(
        self, program: Program, objects: dict[str, Any], after: Binding | None = None
    ) -> None:
        self.program = program
        self.objects = dict(objects)
        self.exchange: dict[int, Any] = {}
        self._kept: list[Any] = []
        optimizer = objects.get("optimizer")
        if optimizer is not None:
            for name, value in list(program.namespace.items()):
                if isinstance(value, LRScheduler):
                    self.objects[name] = _Still(optimizer)
        self.originals = {name: program.namespace.get(name) for name in self.objects}
        for name, new in self.objects.items():
            for old in (self.originals[name], after.originals.get(name) if after else None):
                if old is not None and not isinstance(old, (bool, int, float, str)):
                    self._kept.append(old)  # so that its id stays its own
                    self.exchange[id(old)] = new
        program.rebind(self.objects)
        if after is not None:
            seen: set[int] = set()
            for name, value in list(program.namespace.items()):
                if not name.startswith("_"):
                    self._within(value, DEPTH, seen)

    def _within(self, holder: Any, depth: int, seen: set[int]) -> None:
        """Exchange the old objects in what `holder` keeps, if the program made it."""
        if depth == 0 or id(holder) in seen or id(holder) in self.exchange:
            return
        seen.add(id(holder))
        kept: Any = holder
        if isinstance(holder, types.MethodType):
            self._within(holder.__self__, depth, seen)
            return
        if not isinstance(holder, (dict, list)):
            if not _own(holder, self.program):
                return
            kept = vars(holder)
        for key, value in list(kept.items() if isinstance(kept, Mapping) else enumerate(kept)):
            if id(value) not in self.exchange:
                self._within(value, depth - 1, seen)
            elif isinstance(holder, (dict, list)):
                holder[key] = self.exchange[id(value)]
            else:
                setattr(holder, key, self.exchange[id(value)])

    def call(self, name: str, loader: str) -> Any:
        """Call the global function `name`; `loader` says which of our loaders it works on.

        Raises `MissingName` where there is none; what the function raises passes through.
        """
        function = self._exchanged(self.program.get(name), DEPTH)
        return function(**self._arguments(function, loader))

    def _arguments(self, function: Any, loader: str) -> dict[str, Any]:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return {}
        given: dict[str, Any] = {}
        for p in parameters:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
                continue
            if p.default is not p.empty:
                if id(p.default) in self.exchange:
                    given[p.name] = self.exchange[id(p.default)]
                continue
            found = self._by_name(p.name, loader)
            if found is not None:
                given[p.name] = found
        return given

    def _by_name(self, name: str, loader: str) -> Any:
        """Our object for a parameter without a default, or None where the name says nothing."""
        lower = name.lower()
        if lower in LOADERS:
            return self.objects.get(loader)
        if lower in EPOCHS:
            return 0
        for role, names in ROLES.items():
            if lower in names:
                return self.objects.get(role, self.program.namespace.get(role))
        return self.objects.get(name, self.program.namespace.get(name))

    def _exchanged(self, value: Any, depth: int) -> Any:
        """`value`, with the old objects exchanged in what it closes over."""
        if id(value) in self.exchange:
            return self.exchange[id(value)]
        if depth == 0:
            return value
        if isinstance(value, functools.partial):
            args = [self._exchanged(a, depth - 1) for a in value.args]
            keywords = {k: self._exchanged(v, depth - 1) for k, v in value.keywords.items()}
            return functools.partial(self._exchanged(value.func, depth - 1), *args, **keywords)
        if isinstance(value, types.FunctionType):
            for cell in value.__closure__ or ():
                try:
                    held = cell.cell_contents
                except ValueError:  # a name not bound yet
                    continue
                if id(held) in self.exchange or isinstance(
                    held, (types.FunctionType, functools.partial)
                ):
                    cell.cell_contents = self._exchanged(held, depth - 1)
        return value
