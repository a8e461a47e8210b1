"""Probes that run a whole program again, in a process of its own, under a script of ours.

Theory. What a program does at top level (seed, save the best epoch) shows only when it runs
from its first line, so these probes start `fresh` and load it themselves:

    scripted      train_one_epoch and evaluate are replaced the moment they are defined. The first
                  trains nothing: it fills the model's weights with the epoch's number. The second
                  reads that number back and answers from a curve whose best epoch is neither the
                  first nor the last. What then stands in the file says which epoch was saved.
    renewed       of a run that is over: whether an optimizer went on with a model of the past
    first_steps   random states that differ from outside; stops after a few optimizer steps. What
                  the weights were at each of them must not depend on the outside.

Those that run it again work in a folder of their own, so that no file of the main run is touched.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ..program import Program, StopProgram, first_error
from ..recorder import held_parameters, plain
from .checkpoints import read_checkpoint, tensors_in

Result = tuple[dict[str, Any], dict[str, torch.Tensor]]
SMALL_FILE = 1 << 20
SAVES_CAP, CALLS_CAP, PARAMETERS_CAP = 32, 200, 64
BASELINE = 0.1
"""What the scripted evaluate answers of weights that no scripted epoch has touched."""


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """Work in a copy of the working folder, without the checkpoints that an earlier run left.

    Folders and large files are linked (the data set), small files copied.
    """
    home = os.getcwd()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for entry in os.scandir(home):
            target = os.path.join(folder, entry.name)
            if entry.is_dir() or (entry.is_file() and entry.stat().st_size > SMALL_FILE):
                if not entry.name.endswith((".pt", ".pth")):
                    os.symlink(entry.path, target)
            elif entry.is_file() and not entry.name.endswith((".pt", ".pth")):
                shutil.copyfile(entry.path, target)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(home)


class _Script:
    """The scripted functions and what they saw."""

    def __init__(self, program: Program, curve: list[float]) -> None:
        self.program = program
        self.curve = curve
        self.epoch = 0
        self.evaluated: list[int] = []
        self.saves: list[dict[str, Any]] = []
        self.taken = -1
        self.origin: dict[int, int] = {}
        self.kept: list[torch.Tensor] = []

    def _model(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> nn.Module | None:
        """The model that a call is about: an argument, else the global `model`, else any."""
        named = [self.program.namespace.get("model")]
        for value in [*args, *kwargs.values(), *named, *self.program.namespace.values()]:
            if isinstance(value, nn.Module) and any(True for _ in value.parameters()):
                return value
        return None

    def trainer(self, original: Any) -> Callable[..., float]:
        """In the place of `train_one_epoch`: stamps the weights, returns a falling loss."""

        def train_one_epoch(*args: Any, **kwargs: Any) -> float:
            self.epoch += 1
            model = self._model(args, kwargs)
            if model is not None:
                with torch.no_grad():
                    for p in model.parameters():
                        p.fill_(float(self.epoch))
            return 1.0 / self.epoch

        return train_one_epoch

    def evaluator(self, original: Any) -> Callable[..., float]:
        """In the place of `evaluate`: the curve at the epoch that the weights carry."""

        def evaluate(*args: Any, **kwargs: Any) -> float:
            epoch = self._stamp(self._model(args, kwargs))
            if len(self.evaluated) < CALLS_CAP:
                self.evaluated.append(epoch)
            if epoch == 0:
                return BASELINE
            return self.curve[min(epoch, len(self.curve)) - 1]

        return evaluate

    def _stamp(self, model: nn.Module | None) -> int:
        if model is None:  # its weights are hidden from parameters(): nothing could be stamped
            return self.epoch
        value = float(next(model.parameters()).detach().flatten()[0])
        return int(value) if value in range(1, self.epoch + 1) else 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note which epoch each state_dict was taken at, and which of them each save wrote.

        A state_dict's tensors share the model's storage but are objects of their own, so an
        object taken at one epoch and written at a later one is a reference kept for too long.
        Where what is written are other objects (`w.detach()`), the last state_dict's epoch counts.
        """
        state_dict, save = nn.Module.state_dict, torch.save

        def taking(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            state = state_dict(module, *args, **kwargs)
            if not args and kwargs.get("destination") is None and len(self.kept) < 10_000:
                self.taken = self.epoch
                for tensor in tensors_in(state):
                    self.kept.append(tensor)
                    self.origin[id(tensor)] = self.epoch
            return state

        def saving(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
            save(obj, f, *args, **kwargs)
            if len(self.saves) < SAVES_CAP:
                taken = {self.origin.get(id(t), self.taken) for t in tensors_in(obj)}
                name = f if isinstance(f, (str, os.PathLike)) else getattr(f, "name", "")
                self.saves.append(
                    {
                        "file": os.path.basename(str(name))[-100:],
                        "epoch": self.epoch,
                        "taken": taken.pop() if len(taken) == 1 else -1,
                    }
                )

        nn.Module.state_dict = taking  # type: ignore[method-assign,assignment]
        torch.save = saving
        try:
            yield
        finally:
            nn.Module.state_dict = state_dict  # type: ignore[method-assign]
            torch.save = save


def scripted(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program with scripted epochs (args: `curve`, `file`) and read its checkpoint.

    Returns `epochs` (how often it trained), `evaluated` (the epoch each evaluation was of, 0 for
    unstamped weights), `saves`, `best_acc`, the fields of `read_checkpoint`, and `stamp`: the
    number that fills every float tensor of the file, or None where they are no stamped weights.
    """
    script = _Script(program, [float(x) for x in args["curve"]])
    program.on_definition("train_one_epoch", script.trainer)
    program.on_definition("evaluate", script.evaluator)
    with own_folder():
        with script.watching():
            program.load()
        found, state = read_checkpoint(args["file"])
    stamp: float | str | None = None
    if state:
        floats = [t for t in state.values() if t.is_floating_point() and t.numel()]
        values = {float(x) for t in floats for x in (t.min(), t.max())}
        stamp = plain(values.pop()) if len(values) == 1 else None
    data = {
        **found,
        "epochs": script.epoch,
        "evaluated": script.evaluated,
        "saves": script.saves,
        "stamp": stamp,
        "best_acc": plain(program.namespace.get("best_acc")),
        "error": first_error(program),
    }
    return data, {}


def renewed(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Returns `renewed`: where the last optimizer to begin stepped after the global `model` had
    become another module, what it held of that one: {parameters, held, frozen, steps (of its own
    before)}; else None.
    """
    record: Any = program.report.get("recorder", {})
    last = record.get("optimizers", [])[-1:]
    return {"renewed": last[0]["renewed"].get("model") if last else None}, {}


def seed_from_outside(seed: int) -> None:
    """Set every generator a program may draw from; what it seeds itself overrides this."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the generator that a program may draw from
    torch.manual_seed(seed)


def _figures(optimizer: torch.optim.Optimizer) -> list[list[float | str | None]]:
    """Two numbers per parameter tensor, [sum, norm] in float64: equal runs give equal figures."""
    held = [p for group in optimizer.param_groups for p in group["params"]][:PARAMETERS_CAP]
    wide = [p.detach().double() for p in held]
    return [[plain(p.sum()), plain(p.norm())] for p in wide]


def first_steps(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program up to its `steps`-th optimizer step, from random states set by `seed`.

    Returns `figures`: for the weights before the first step and after each, [sum, norm] per
    parameter tensor; `wired`: what part of the global `model` the first optimizer holds (None
    where there is none of either); `error`: what loading raised.
    """
    figures: list[list[list[float | str | None]]] = []
    used = 0
    wired: dict[str, int] | None = None

    def before(optimizer: torch.optim.Optimizer, a: Any, k: Any) -> None:
        nonlocal wired
        if not figures:
            figures.append(_figures(optimizer))
            wired = wiring()

    def after(optimizer: torch.optim.Optimizer, a: Any, k: Any) -> None:
        figures.append(_figures(optimizer))
        if len(figures) > args["steps"]:
            raise StopProgram

    def using(module: nn.Module, inputs: Any) -> None:
        nonlocal used
        used += 1

    def wiring() -> dict[str, int] | None:
        model = program.namespace.get("model")
        optimizer = program.namespace.get("optimizer")
        if isinstance(model, nn.Module) and isinstance(optimizer, torch.optim.Optimizer):
            return held_parameters(model, optimizer)
        return None

    seed_from_outside(args["seed"])
    hooks = [
        register_optimizer_step_pre_hook(before),
        register_optimizer_step_post_hook(after),
        register_module_forward_pre_hook(using),
    ]
    try:
        with own_folder():
            program.load()
    finally:
        for hook in hooks:
            hook.remove()
    model = program.namespace.get("model")
    by_hand = used > 0 and not figures and not program.errors
    own = list(model.parameters())[:PARAMETERS_CAP] if isinstance(model, nn.Module) else []
    if by_hand and own:  # no torch optimizer: compare what came out
        wide = [p.detach().double() for p in own]
        figures.append([[plain(p.sum()), plain(p.norm())] for p in wide])
        wired = wiring()
    return {"figures": figures, "wired": wired, "error": first_error(program)}, {}
