"""Calls of models: in which mode, with which gradient state, on what, with what effect.

Theory. Only the outermost call of a module counts as a forward pass; a loss or an image transform
is a module too, but no model. Whether dropout was at work is taken from `torch.nn.functional`,
through which the layers and the functional style both go; batch norm likewise. Whether an output
was learnt from shows when a gradient arrives at it, which a hook on the tensor notes in the event
of its forward pass (`learnt`).

Events: `forward` {model, training, grad, graph, learnt, rows, shape, drops, norms}; `mode` {model,
training} when a program calls `train()` or `eval()`.

The first inputs of each model are kept (small ones whole, large ones by their first rows), so that
questions about the model itself can be put to it after the run.
"""

from __future__ import annotations

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

from .log import Event, Flight

SAMPLE_ROWS, SAMPLE_NUMBERS = 16, 400_000
_DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")


def _first_tensor(values: Any) -> torch.Tensor | None:
    """The first tensor among arguments or outputs, nested containers included."""
    if isinstance(values, torch.Tensor):
        return values
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        for value in values[:8]:
            found = _first_tensor(value)
            if found is not None:
                return found
    return None


class Forwards:
    """Watches the outermost forward calls. See the module."""

    name = "models"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.samples: dict[int, dict[str, torch.Tensor]] = {}
        self._depth = 0
        self._switching = 0
        self._current: Event | None = None
        self._passive: dict[type, bool] = {}

    def install(self) -> None:
        register_module_forward_pre_hook(self._entering)
        register_module_forward_hook(self._leaving, always_call=True)
        for name in _DROPOUTS:
            self.flight.watch(F, name, before=self._dropping)
        self.flight.watch(F, "batch_norm", before=self._normalising)
        self.flight.watch(nn.Module, "train", before=self._switch, after=self._switched)

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
        if self._depth > 1:
            return
        try:
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
        model = flight.model(module)
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
        )
        if given is not None and len(inputs) == 1 and isinstance(inputs[0], torch.Tensor):
            self._keep(model, "training" if module.training else "evaluating", given)

    def _keep(self, model: int, mode: str, given: torch.Tensor) -> None:
        kept = self.samples.setdefault(model, {})
        if mode not in kept and given.ndim and given.device.type == "cpu":
            rows = given.detach()[:SAMPLE_ROWS]
            if 0 < rows.numel() <= SAMPLE_NUMBERS:
                kept[mode] = rows.clone()

    def _leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._is_passive(module):
            return
        self._depth = max(0, self._depth - 1)
        if self._depth:
            return
        found = _first_tensor(output)
        if found is not None:
            self.flight.tell("output", found)
        if self._current is None:
            return
        event, self._current = self._current, None
        event["graph"] = found is not None and found.requires_grad
        event["out"] = list(found.shape)[:6] if found is not None else []
        if found is not None and found.requires_grad and found.is_floating_point():

            def arrived(gradient: torch.Tensor) -> None:
                event["learnt"] = True

            found.register_hook(arrived)  # type: ignore[no-untyped-call]

    def _dropping(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._current is not None:
            training = kwargs.get("training", args[2] if len(args) > 2 else True)
            chance = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
            self._current["drops"] += bool(training) and chance > 0

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
        """`list`: one entry per model called: class, global name, parameters, what it holds."""
        names = {id(v): k for k, v in list(self.flight.program.namespace.items())[:2000]}
        entries = []
        for module in self.flight.models:
            inner = list(module.modules())
            entries.append(
                {
                    "class": type(module).__name__[:80],
                    "name": str(names.get(id(module), ""))[:80],
                    "parameters": sum(p.numel() for p in module.parameters()),
                    "frozen": sum(not p.requires_grad for p in module.parameters()),
                    "dropouts": sum(isinstance(m, _DropoutNd) for m in inner),
                    "norms": sum(isinstance(m, _BatchNorm) for m in inner),
                }
            )
        return {"list": entries}
