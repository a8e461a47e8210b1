"""Calls of models: in which mode, with which gradient state, on what, with what effect.

Theory. Only the outermost call of a module counts as a forward pass; a loss or an image transform
is a module too, but no model. Whether dropout was at work is taken from `torch.nn.functional`,
through which the layers and the functional style both go; batch norm likewise. Whether an output
was learnt from shows when a gradient arrives at it, which a hook on the tensor notes in the event
of its forward pass (`learnt`).

Events: `forward` {model, training, grad, graph, learnt, rows, shape, out: the output's shape, drops
and norms: how often dropout and batch norm were at work in training mode, loose: dropouts at work
although whoever called them is in evaluation mode, mark: the sum of the input, which tells equal
ones, fed: the input is the output of a model, transformed: within `vmap` or `grad`, where nothing
can be read}; `mode` {model, training} when a program calls `train()` or `eval()`.

The first inputs of each model are kept (small ones whole, large ones by their first rows), so that
questions about the model itself can be put to it after the run.

Section `models`: see `Forwards.report`.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.loss import _Loss
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from ..recorder import plain
from .log import Event, Flight
from .questions import ask
from .tallies import concrete
from .weights import Weights

SAMPLE_ROWS, SAMPLE_NUMBERS = 16, 400_000
OUTPUTS_KEPT, HOOKED_CAP = 4, 4
_DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")


def _tensors(values: Any) -> list[torch.Tensor]:
    """The first few tensors among arguments or outputs, nested containers included."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    found: list[torch.Tensor] = []
    if isinstance(values, (list, tuple)):
        for value in values[:8]:
            found.extend(_tensors(value))
    return found[:HOOKED_CAP]


def _first_tensor(values: Any) -> torch.Tensor | None:
    """The first of `_tensors`, or None."""
    if isinstance(values, torch.Tensor):
        return values
    found = _tensors(values)
    return found[0] if found else None


class Forwards:
    """Watches the outermost forward calls. See the module."""

    name = "models"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.samples: dict[int, dict[str, tuple[torch.Tensor, bool]]] = {}
        self.weights = Weights(flight)
        self._outputs: deque[weakref.ref[torch.Tensor]] = deque(maxlen=OUTPUTS_KEPT)
        self._batch_rows = -1
        self._model = -1
        self._asking = False
        self._depth = 0
        self._switching = 0
        self._current: Event | None = None
        self._passive: dict[type, bool] = {}

    def install(self) -> None:
        register_module_forward_pre_hook(self._entering)
        register_module_forward_hook(self._leaving, always_call=True)
        for name in _DROPOUTS:
            self.flight.watch(F, name, before=self._dropping)
        self.flight.watch(F, "scaled_dot_product_attention", before=self._attending)
        self.flight.watch(F, "batch_norm", before=self._normalising)
        self.flight.watch(nn.Module, "train", before=self._switch, after=self._switched)
        self.flight.listeners["batch"].append(self._handed)

    def _handed(self, batch: Any) -> None:
        found = _first_tensor(batch)
        self._batch_rows = len(found) if found is not None and found.ndim else -1

    def _is_passive(self, module: nn.Module) -> bool:
        """Whether a module is no model: a loss, an image transform."""
        kind = type(module)
        if kind not in self._passive:
            self._passive[kind] = (
                isinstance(module, _Loss)
                or kind.__module__.startswith("torchvision.transforms")
                or kind.__name__.endswith("Loss")
            )
        return self._passive[kind]

    def _entering(self, module: nn.Module, inputs: Any) -> None:
        if self._is_passive(module):
            return
        self._depth += 1
        try:
            if self._depth > 1:
                if self._current is not None and not self._asking:
                    self.weights.within(self._model, module)
            elif not self._asking:
                self._enter(module, inputs)
        except Exception as e:
            self.flight.fault(e)

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        flight = self.flight
        at = flight.look()
        if not flight.close:
            flight.counts["forward"] += 1
            self._current = None
            return
        given = _first_tensor(inputs)
        model = self._model = flight.model(module)
        self.weights.meet(model, module)
        readable = given is not None and concrete(given)
        self._current = flight.add(
            "forward",
            at,
            model=model,
            training=module.training,
            grad=torch.is_grad_enabled(),
            learnt=False,
            rows=int(given.shape[0]) if given is not None and given.ndim else -1,
            shape=list(given.shape)[:6] if given is not None else [],
            drops=0,
            norms=0,
            loose=0,
            mark=plain(given.detach().sum()) if given is not None and readable else None,
            fed=given is not None and any(kept() is given for kept in self._outputs),
            transformed=given is not None and not readable,
        )
        if given is not None and readable:
            flight.tell("entered", (self._current, given))
        if readable and len(inputs) == 1 and isinstance(inputs[0], torch.Tensor):
            self._keep(model, "training" if module.training else "evaluating", inputs[0])

    def _keep(self, model: int, mode: str, given: torch.Tensor) -> None:
        """Keep an input, and whether its rows are those of the batch that a loader handed out."""
        kept = self.samples.setdefault(model, {})
        if mode not in kept and given.ndim and given.device.type == "cpu":
            rows = given.detach()[:SAMPLE_ROWS]
            if 0 < rows.numel() <= SAMPLE_NUMBERS:
                handed = self.flight.current_pass >= 0 and len(given) == self._batch_rows
                kept[mode] = (rows.clone(), handed)

    def _leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._is_passive(module):
            return
        self._depth = max(0, self._depth - 1)
        if self._depth or self._asking:
            return
        given = _tensors(output)
        found = given[0] if given else None
        if found is not None:
            self.flight.tell("output", found)
        if self._current is None:
            return
        event, self._current = self._current, None
        event["graph"] = found is not None and found.requires_grad
        event["out"] = list(found.shape)[:6] if found is not None else []

        def arrived(gradient: torch.Tensor) -> None:
            event["learnt"] = True

        for tensor in given:
            self._outputs.append(weakref.ref(tensor))
            if tensor.requires_grad and tensor.is_floating_point():
                tensor.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _dropping(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is None:
            return
        training = kwargs.get("training", args[2] if len(args) > 2 else True)
        chance = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
        if training and chance > 0:
            self._dropped(sys._getframe(2))  # noqa: SLF001 - 1 is the watch itself

    def _attending(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is not None and kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0):
            self._dropped(sys._getframe(2))  # noqa: SLF001 - as above

    def _dropped(self, caller: FrameType) -> None:
        """Dropout is at work, called for by the code of that frame."""
        assert self._current is not None
        self._current["drops"] += 1
        owner = caller.f_locals.get("self")
        mode = self._current["training"]
        if isinstance(owner, _DropoutNd):  # one that is not the model's own hears of no mode
            mode = mode or self.weights.owns(self._model, owner)
        elif str(caller.f_globals.get("__name__", "")).startswith("torch."):
            mode = True
        elif isinstance(owner, nn.Module):
            mode = owner.training
        self._current["loose"] += not mode

    def _normalising(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is not None:
            training = kwargs.get("training", args[5] if len(args) > 5 else False)
            kept = kwargs.get("running_mean", args[1] if len(args) > 1 else None)
            self._current["norms"] += bool(training) and kept is not None

    def _switch(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._switching += 1
        if self._switching == 1 and isinstance(args[0], nn.Module):
            mode = kwargs.get("mode", args[1] if len(args) > 1 else True)
            self.flight.add("mode", model=self.flight.model(args[0]), training=bool(mode))

    def _switched(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self._switching = max(0, self._switching - 1)

    def report(self) -> dict[str, Any]:
        """`list`: one entry per model called: class, global name, parameters, what it holds, what
        it uses without owning it (`weights`), and its answers (`questions`) where it was trained.
        """
        names = {id(v): k for k, v in list(self.flight.program.namespace.items())[:2000]}
        entries = []
        for index, module in enumerate(self.flight.models):
            inner = list(module.modules())
            entries.append(
                {
                    "class": type(module).__name__[:80],
                    "name": str(names.get(id(module), ""))[:80],
                    "parameters": sum(p.numel() for p in module.parameters()),
                    "frozen": sum(not p.requires_grad for p in module.parameters()),
                    "dropouts": sum(isinstance(m, _DropoutNd) and m.p > 0 for m in inner),
                    "norms": sum(
                        isinstance(m, _BatchNorm) and m.running_mean is not None for m in inner
                    ),
                    "batchwise": sum(
                        isinstance(m, _BatchNorm) and m.running_mean is None for m in inner
                    ),
                    "recurrent": sum(isinstance(m, nn.RNNBase) for m in inner),
                    "attention": sum(isinstance(m, nn.MultiheadAttention) for m in inner),
                    **self.weights.told(index),
                    "answers": self._ask(index, module),
                }
            )
        return {"list": entries}

    def _ask(self, index: int, module: nn.Module) -> dict[str, Any] | None:
        """The questions put to a model that was called on a tensor, with the sample's shape."""
        kept = self.samples.get(index, {})
        found = kept.get("evaluating") or kept.get("training")
        if found is None or not any(p.requires_grad for p in module.parameters()):
            return None
        sample, handed = found
        self._asking, self._current = True, {"drops": 0, "loose": 0, "norms": 0, "training": False}
        try:
            told = ask(module, sample, lambda x: _first_tensor(module(x)))
            loose = self._current["loose"]
        finally:
            self._asking, self._current = False, None
        known = {"handed": handed, "shape": list(sample.shape)[:6], "loose": loose}
        return {**told, **known, "whole": not sample.is_floating_point()}
