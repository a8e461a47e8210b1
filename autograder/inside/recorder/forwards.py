"""Calls of models: in which mode, with which gradient state, on what, with what effect.

Theory. Only the outermost call of a module counts as a forward pass; a loss or an image transform
is a module too, but no model. Whether dropout was at work is taken from `torch.nn.functional`,
through which the layers and the functional style both go; batch norm likewise. Whether an output
was learnt from shows when a gradient arrives at it, which a hook on the tensor notes in the event
of its forward pass (`learnt`).

Events: `forward` {model, training, grad, graph, learnt, by: the number of the backward pass that
learnt from it, rows, shape, out: the output's shape, drops and norms: how often dropout and batch
norm were at work in training mode, loose: dropouts at work although whoever called them is in
evaluation mode, own_norms: norms that code of the program's called for itself, unkept: norms
without statistics, which are by the batch in any mode, mark: a number that tells equal inputs, fed:
the input is the output of a model, transformed: within `vmap` or `grad`, where nothing can be read,
birth: see `Weights.birth`}; `mode` {model, training} when a
program calls `train()` or `eval()`.

The first inputs of each model are kept (small ones whole, large ones by their first rows), so that
questions about the model itself can be put to it after the run.

Section `models`: see `Forwards.report`.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.loss import _Loss
from torch.nn.parameter import UninitializedParameter

from .graphs import when_differentiated
from .light import plain
from .log import Event, Flight, names_of
from .questions import ask
from .tensors import concrete, first, modules, parameters, real, shape_of, tensors, wrapped
from .weights import Weights

SAMPLE_ROWS, SAMPLE_NUMBERS = 16, 400_000
OUTPUTS_KEPT, OTHERS_CAP, MARKED = 4, 64, 1_024
_DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")


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
        self._thread = threading.get_ident()
        self._current: Event | None = None
        self._passive: dict[type, bool] = {}
        self._others: set[int] = set()
        self._places = torch.zeros(0)

    def install(self) -> None:
        self._watch_calls()
        for name in _DROPOUTS:
            self.flight.watch(F, name, before=self._dropping)
        self.flight.watch(F, "scaled_dot_product_attention", before=self._attending)
        self.flight.watch(F, "batch_norm", before=self._normalising)
        self.flight.watch(nn.Module, "train", before=self._switch)
        self.flight.listeners["batch"].append(self._handed)

    def _handed(self, batch: Any) -> None:
        found = first(batch)
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

    def _watch_calls(self) -> None:
        """Watch the calls of all modules, at the door: PyTorch's hooks for all modules change how a
        module is compiled, and are told of no keywords.
        """
        calling, placed = nn.Module.__call__, self.flight.placed

        def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            entered = placed.on and self._entering(module, args, kwargs)
            try:
                output = calling(module, *args, **kwargs)
            except BaseException:
                if entered:
                    self._leaving(module, None)
                raise
            if entered:
                self._leaving(module, output)
            return output

        placed.put(nn.Module, "__call__", called)

    def _entering(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """A module is called; whether that is looked at."""
        if self._is_passive(module):
            self._met(module)
            return False
        if self._foreign():
            return False
        self._depth += 1
        if self._depth > 1:
            if self._current is not None and not self._asking:
                self.flight.aside(self.weights.within, self._model, module)
        elif not self._asking:
            self._current = None
            self.flight.aside(self._enter, module, args, kwargs)
        return True

    def _met(self, module: nn.Module) -> None:
        """A module that is no model: kept where it may have weights to learn."""
        others = self.flight.others
        if id(module) not in self._others and len(others) < OTHERS_CAP:
            self._others.add(id(module))
            others.append(module)

    def _foreign(self) -> bool:
        """Whether a call is none of the program's own: one made by a backward pass, which computes
        anew what a checkpoint had dropped; or by another thread while one is within a model.
        """
        if self.flight.differentiating:
            return True
        me = threading.get_ident()
        if self._depth == 0:
            self._thread = me
        return me != self._thread

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        flight = self.flight
        flight.called = module
        at = flight.look()
        if not flight.close:
            flight.counts["forward"] += 1
            return
        given = first(args or kwargs)
        model = self._model = flight.model(module)
        self.weights.meet(model, module)
        readable = given is not None and concrete(given)
        shape = shape_of(given) if given is not None else []
        self._current = flight.add(
            "forward",
            at,
            model=model,
            training=bool(getattr(module, "training", False)),  # a frozen script has no mode
            grad=torch.is_grad_enabled(),
            learnt=False,
            rows=shape[0] if shape else -1,
            shape=shape,
            drops=0,
            norms=0,
            loose=0,
            own_norms=0,
            unkept=0,
            mark=self._mark(given) if given is not None and readable else None,
            fed=given is not None and any(kept() is given for kept in self._outputs),
            transformed=given is not None and wrapped(given),
        )
        if not self._current["training"]:
            self._current["birth"] = self.weights.birth(model)
        if given is not None and readable:
            flight.tell("entered", (self._current, given))
        if readable and len(args) == 1 and not kwargs and isinstance(args[0], torch.Tensor):
            self._keep(model, "training" if self._current["training"] else "evaluating", args[0])

    def _mark(self, given: torch.Tensor) -> float | str | None:
        """One number of an input: its sum, and that of its first values each times its place, since
        inputs of zeros and ones often have one sum.
        """
        some = real(given)[:MARKED]
        if len(some) > len(self._places):
            self._places = torch.arange(1.0, MARKED + 1, dtype=torch.float64)
        return plain(given.detach().sum() + (some.double() @ self._places[: len(some)]) / MARKED)

    def _keep(self, model: int, mode: str, given: torch.Tensor) -> None:
        """Keep an input, and whether its rows are those of the batch that a loader handed out."""
        kept = self.samples.setdefault(model, {})
        if mode not in kept and given.ndim and given.device.type == "cpu":
            rows = given.detach()[:SAMPLE_ROWS]
            if 0 < rows.numel() <= SAMPLE_NUMBERS:
                handed = self.flight.current_pass >= 0 and len(given) == self._batch_rows
                kept[mode] = (rows.clone(), handed)

    def _leaving(self, module: nn.Module, output: Any) -> None:
        flight = self.flight
        self._depth = max(0, self._depth - 1)
        if self._asking:
            return
        if flight.close and torch.is_grad_enabled():
            flight.tell("called", (module, output))
        if self._depth == 0:
            flight.aside(self._leave, output)

    def _leave(self, output: Any) -> None:
        given = tensors(output)
        found = given[0] if given else None
        if found is not None:
            self.flight.tell("output", found)
        if self._current is None:
            return
        event, self._current = self._current, None
        event["graph"] = found is not None and found.requires_grad
        event["out"] = shape_of(found) if found is not None else []

        def arrived(gradient: torch.Tensor) -> None:
            event["learnt"] = True
            event["by"] = self.flight.counts["backward"]

        for tensor in given:
            self._outputs.append(weakref.ref(tensor))
            if tensor.requires_grad and tensor.is_floating_point():
                when_differentiated(tensor, arrived)

    def _dropping(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is None:
            return
        training = kwargs.get("training", args[2] if len(args) > 2 else True)
        chance = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
        if training and chance > 0:
            self._dropped()

    def _attending(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is not None and kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0):
            self._dropped()

    def _dropped(self) -> None:
        """Dropout is at work."""
        assert self._current is not None
        self._current["drops"] += 1
        within, owner = _caller()
        mode = self._current["training"]
        if isinstance(owner, _DropoutNd):  # one that is not the model's own hears of no mode
            mode = mode or self.weights.owns(self._model, owner)
        elif within.startswith("torch."):
            mode = True
        elif isinstance(owner, nn.Module):
            mode = owner.training
        self._current["loose"] += not mode

    def _normalising(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is None:
            return
        training = kwargs.get("training", args[5] if len(args) > 5 else False)
        kept = kwargs.get("running_mean", args[1] if len(args) > 1 else None)
        if training and kept is None:
            self._current["unkept"] += 1
        elif training:
            self._current["norms"] += 1
            # a layer heeds the mode; a call of the program's own does if it is told the mode
            self._current["own_norms"] += not _caller()[0].startswith("torch.")

    def _switch(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if isinstance(args[0], nn.Module):
            mode = kwargs.get("mode", args[1] if len(args) > 1 else True)
            self.flight.add("mode", model=self.flight.model(args[0]), training=bool(mode))

    def report(self) -> dict[str, Any]:
        """`list`: one entry per model called: class, global name, parameters, what it holds, what
        it uses without owning it (`weights`), and its answers (`questions`) where it was trained.
        """
        names = {id(v): k for k, v in list(self.flight.program.namespace.items())[:2000]}
        entries = []
        for index, module in enumerate(self.flight.models):
            inner, own = list(modules(module)), parameters(module)
            entries.append(
                {
                    "class": type(module).__name__[:80],
                    "name": str(names.get(id(module), ""))[:80],
                    "parameters": sum(
                        p.numel() for p in own if not isinstance(p, UninitializedParameter)
                    ),
                    "frozen": sum(not p.requires_grad for p in own),
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
        if found is None or not any(p.requires_grad for p in parameters(module)):
            return None
        sample, handed = found
        counted = dict.fromkeys(("drops", "loose", "norms", "own_norms", "unkept"), 0)
        self._asking, self._current = True, {**counted, "training": False}
        try:
            told = ask(module, sample, lambda x: first(module(x)))
            always = {k: self._current[k] for k in ("loose", "norms", "unkept")}
        finally:
            self._asking, self._current = False, None
        known = {"handed": handed, "shape": shape_of(sample), **always}
        return {**told, **known, "whole": not sample.is_floating_point()}


def _caller() -> tuple[str, Any]:
    """Who called the function under watch: the name of the module whose code it is, and the `self`
    that this has.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - who calls
    while frame.f_back is not None and str(frame.f_globals.get("__package__")) == __package__:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")), names_of(frame).get("self")
