"""Putting our objects in the place of a program's globals, and calling its functions so.

Theory. In a program whose functions take no arguments, what they work on are globals, so a
replay binds those names to its own objects. A student may reach the same object by other
ways, all legitimate: an alias (`net = model`), a parameter with a default (`def
train_one_epoch(loader=train_loader)`), a parameter without one, a closure, a
`functools.partial`. Whatever *is* the old object is exchanged wherever it is found; a bare
parameter is served by its name.

An object of the program's own may hold the old ones too (a trainer that was given the model), and
so may a tuple, a list of parameters or a bound method. A `deep` exchange reaches these as well. It
is a second opinion and not the first: what else such an object keeps may belong to the old ones, as
an average of weights belongs to its model.

A global learning-rate scheduler is exchanged too, for one that does nothing: it belongs to the
old optimizer, and its run may be over.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
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
DEPTH = 6
LONG = 1_000
"""A container of more members than this is data."""


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
    """Whether `value` is a class of the program's, or an object of one."""
    made = value if isinstance(value, type) else type(value)
    return made.__module__ == program.module.__name__ or made is types.SimpleNamespace


class Binding:
    """`objects` (by global name) bound into `program`; `call` then calls its functions. `deep`:
    they also take the place of the old ones within whatever the program's globals lead to.
    """

    def __init__(self, program: Program, objects: dict[str, Any], deep: bool = False) -> None:
        self.program = program
        self.objects = dict(objects)
        self.deep = deep
        self.exchange: dict[int, Any] = {}
        self._kept: list[Any] = []
        self._parameters: set[int] = set()
        optimizer = objects.get("optimizer")
        if optimizer is not None:
            for name, value in list(program.namespace.items()):
                if isinstance(value, LRScheduler):
                    self.objects[name] = _Still(optimizer)
        for name, new in self.objects.items():
            old = program.namespace.get(name)
            if old is not None and not isinstance(old, (bool, int, float, str)):
                self._put(old, new)
        if deep:
            self._put_parts(program.namespace.get("model"), objects.get("model"))
        program.rebind(self.objects)
        if deep:
            self._items(program.namespace, DEPTH)

    def _put(self, old: Any, new: Any) -> None:
        self._kept.append(old)  # so that its id stays its own
        self.exchange[id(old)] = new

    def _put_parts(self, old: Any, new: Any) -> None:
        """Exchange the modules and parameters of one model for those of the same name in another.

        By name, because a list of some parameters must not become one of all.
        """
        if not isinstance(old, nn.Module) or not isinstance(new, nn.Module):
            return
        self._parameters = {id(p) for p in old.parameters()}
        there = {**dict(new.named_modules()), **dict(new.named_parameters())}
        for name, part in (*old.named_modules(), *old.named_parameters()):
            if name in there:
                self._put(part, there[name])

    def call(self, name: str, loader: str) -> Any:
        """Call the global function `name`; `loader` says which of our loaders it works on.

        Raises `MissingName` where there is none; what the function raises passes through.
        """
        function = self.exchanged(self.program.get(name), DEPTH)
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
            if p.default is not p.empty:  # `exchanged` has been there
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

    def exchanged(self, value: Any, depth: int) -> Any:
        """What takes the place of `value`: ours for an old object, and for what keeps old objects
        the same thing with ours in it, changed in place where it can be. Goes `depth` levels down,
        into partials and functions, and into everything else only where the binding is deep.
        """
        if id(value) in self.exchange:
            return self.exchange[id(value)]
        if depth == 0:
            return value
        if isinstance(value, functools.partial):
            args = [self.exchanged(a, depth - 1) for a in value.args]
            keywords = {k: self.exchanged(v, depth - 1) for k, v in value.keywords.items()}
            return functools.partial(self.exchanged(value.func, depth - 1), *args, **keywords)
        if isinstance(value, types.FunctionType):
            self._put(value, value)  # it may close over itself
            self._function(value, depth - 1)
            return value
        return self._holder(value, depth - 1) if self.deep else value

    def _function(self, function: types.FunctionType, depth: int) -> None:
        """Exchange what a function closes over and the defaults of its parameters."""
        for cell in function.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # a name not bound yet
                continue
            cell.cell_contents = self.exchanged(held, depth)
        if function.__defaults__:
            function.__defaults__ = tuple(self.exchanged(d, depth) for d in function.__defaults__)
        self._items(function.__kwdefaults__ or {}, depth)

    def _holder(self, value: Any, depth: int) -> Any:
        """`exchanged` of a bound method, a container, or an object or class of the program's."""
        if isinstance(value, types.MethodType):
            owner = self.exchanged(value.__self__, depth)
            name = getattr(value, "__name__", "")
            return value if owner is value.__self__ else getattr(owner, name, value)
        if isinstance(value, LRScheduler) and "optimizer" in self.objects:
            return _Still(self.objects["optimizer"])
        own = _own(value, self.program)
        if not own and not (isinstance(value, (list, tuple, dict)) and len(value) <= LONG):
            return value
        self._put(value, value)  # it may lead back to itself
        if own:
            self._attributes(value, depth)
        if isinstance(value, dict):
            self._items(value, depth)
        elif isinstance(value, list):
            value[:] = self._members(value, depth)
        elif isinstance(value, tuple):
            members = self._members(value, depth)
            if any(new is not old for new, old in zip(members, value, strict=False)):
                # as a NamedTuple makes itself; a `__new__` of the program's is not called
                self._put(value, tuple.__new__(type(value), members))
        return self.exchange[id(value)]

    def _members(self, values: Sequence[Any], depth: int) -> list[Any]:
        """The members exchanged; a list of all the old model's parameters is one of all of ours,
        of which there may be fewer.
        """
        if self._parameters and {id(v) for v in values} == self._parameters:
            return list(self.objects["model"].parameters())
        return [self.exchanged(v, depth) for v in values]

    def _items(self, holder: dict[Any, Any], depth: int) -> None:
        for key, kept in list(holder.items()):
            new = self.exchanged(kept, depth)
            if new is not kept:
                holder[key] = new

    def _attributes(self, holder: Any, depth: int) -> None:
        """Exchange in a class or an object, past a frozen dataclass's refusal to be changed."""
        if isinstance(holder, type):
            for key, kept in list(vars(holder).items()):
                new = self.exchanged(kept, depth)
                if new is not kept:
                    setattr(holder, key, new)
            return
        self._items(getattr(holder, "__dict__", {}), depth)
        for made in type(holder).__mro__:
            for slot in vars(made).values():
                if isinstance(slot, types.MemberDescriptorType) and hasattr(holder, slot.__name__):
                    kept = slot.__get__(holder)
                    new = self.exchanged(kept, depth)
                    if new is not kept:
                        slot.__set__(holder, new)
