"""Probes that watch a program as it wired itself, over a few batches of its own data.

Binding our own objects hides how the program's parts meet: in which mode its epochs run, whether
the mode is set in a function or around the call, on which device the weights and the batches are.
So these run the whole program afresh, with every DataLoader cut to its first batches.

    modes         the mode and the graph of each forward call of a model, by function and call
    accelerated   the same program on a machine that seems to have an accelerator
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from ..program import Program, StopProgram, first_error
from .wholerun import own_folder

Result = tuple[dict[str, Any], dict[str, torch.Tensor]]
CALLS_CAP = 40


@contextlib.contextmanager
def short_loaders(batches: int) -> Iterator[None]:
    """Within, an iteration over any DataLoader ends after `batches` batches."""
    original = DataLoader.__iter__

    def shortened(self: Any) -> Iterator[Any]:
        return itertools.islice(original(self), batches)

    DataLoader.__iter__ = shortened  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        DataLoader.__iter__ = original  # type: ignore[method-assign]


class _Calls:
    """Forward calls of models, counted by the call of the program's function they happen in."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.inside: list[dict[str, Any]] = []
        self._depth = 0
        self._counted: dict[str, Any] | None = None

    def wrap(self, name: str) -> Callable[[Any], Any]:
        """A wrap for `on_definition` that marks the calls of function `name`."""

        def around(original: Any) -> Any:
            if not callable(original):
                return original

            @functools.wraps(original)
            def called(*args: Any, **kwargs: Any) -> Any:
                call = {"function": name, "forwards": 0, "training": 0, "graphs": 0}
                self.inside.append(call)
                if len(self.calls) < CALLS_CAP:
                    self.calls.append(call)
                self._depth = 0
                try:
                    return original(*args, **kwargs)
                finally:
                    self.inside.pop()

            return called

        return around

    def entering(self, module: nn.Module, inputs: Any) -> None:
        self._depth += 1
        if self._depth == 1 and self.inside and any(True for _ in module.parameters()):
            self._counted = self.inside[-1]
            self._counted["forwards"] += 1
            self._counted["training"] += bool(module.training)

    def leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth == 0 and self._counted is not None:
            self._counted["graphs"] += isinstance(output, torch.Tensor) and output.requires_grad
            self._counted = None


def modes(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program with loaders cut to `batches` batches.

    Returns `calls`, in order: the `function` (`train_one_epoch` or `evaluate`), how many forward
    calls of a model it made, how many of them found it in `training` mode, and how many outputs
    hang on a graph (`graphs`); and the first `error`.
    """
    calls = _Calls()
    for name in ("train_one_epoch", "evaluate"):
        program.on_definition(name, calls.wrap(name))
    hooks = [
        register_module_forward_pre_hook(calls.entering),
        register_module_forward_hook(calls.leaving, always_call=True),
    ]
    try:
        with own_folder(), short_loaders(args["batches"]):
            program.load()
    finally:
        for hook in hooks:
            hook.remove()
    return {"calls": calls.calls, "error": first_error(program)}, {}


@contextlib.contextmanager
def counted(calls: dict[str, int]) -> Iterator[None]:
    """Within, calls of these methods of any GradScaler are counted."""
    original = {name: getattr(torch.amp.GradScaler, name) for name in calls}

    def counting(name: str) -> Callable[..., Any]:
        @functools.wraps(original[name])
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return original[name](self, *args, **kwargs)

        return method

    for name in original:
        setattr(torch.amp.GradScaler, name, counting(name))
    try:
        yield
    finally:
        for name, method in original.items():
            setattr(torch.amp.GradScaler, name, method)


def _devices(parameters: list[torch.Tensor]) -> list[str]:
    return sorted({p.device.type for p in parameters})


def accelerated(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program, loaders cut to `batches`, where an accelerator seems to be there, up to the
    end of its first evaluation.

    Returns `devices`: the device types of the weights at the first step (of the global `model`
    where no torch optimizer stepped), `steps`, the calls of any `scaler`, and the first `error`.
    """
    from .. import simdevice  # only here: it patches nothing, but few probes need it

    steps = 0
    devices: list[str] = []
    scaler = {"scale": 0, "step": 0, "update": 0}

    def before(optimizer: torch.optim.Optimizer, a: Any, k: Any) -> None:
        nonlocal steps, devices
        if not steps:
            held = [p for group in optimizer.param_groups for p in group["params"]]
            devices = _devices(held)
        steps += 1

    def ending(original: Any) -> Any:
        if not callable(original):
            return original

        @functools.wraps(original)
        def evaluate(*a: Any, **k: Any) -> Any:
            value = original(*a, **k)
            if steps:
                raise StopProgram
            return value

        return evaluate

    program.on_definition("evaluate", ending)
    hook = register_optimizer_step_pre_hook(before)
    try:
        with (
            own_folder(),
            short_loaders(args["batches"]),
            counted(scaler),
            simdevice.accelerator(),
        ):
            program.load()
    finally:
        hook.remove()
    model = program.namespace.get("model")
    if not devices and isinstance(model, nn.Module):
        devices = _devices(list(model.parameters()))
    error = first_error(program)
    return {"devices": devices, "steps": steps, "scaler": scaler, "error": error}, {}
