"""What is saved, loaded and put back.

Events: `save` {file, holds, step}; `load` {file, holds}; `state` {of: "model" or "optimizer" or
"scheduler" or "scaler", step} when a state_dict is taken; `restore` {of, index} when one is put
back. `holds` tells what an object is: "module", "state" (names to tensors), "mapping" with the
kinds of its entries, or the name of its class.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from .log import Flight

KEYS_CAP = 40


def holds(value: Any) -> dict[str, Any]:
    """What an object that was saved or loaded is: {"kind", "entries": {key: kind}}."""
    if isinstance(value, nn.Module):
        return {"kind": "module", "class": type(value).__name__[:80], "entries": {}}
    if isinstance(value, dict):
        if value and all(isinstance(v, torch.Tensor) for v in value.values()):
            return {"kind": "state", "entries": {}}
        if set(value) == {"state", "param_groups"}:
            return {"kind": "optimizer", "entries": {}}
        entries = {str(k)[:60]: holds(v)["kind"] for k, v in list(value.items())[:KEYS_CAP]}
        return {"kind": "mapping", "entries": entries}
    return {"kind": type(value).__name__[:80], "entries": {}}


class Files:
    """Watches saving, loading and state_dicts. See the module."""

    name = "files"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._taking = 0
        self._putting = 0

    def install(self) -> None:
        watch = self.flight.watch
        watch(torch, "save", after=self._saved)
        watch(torch, "load", after=self._loaded)
        for owner, of in (
            (nn.Module, "model"),
            (Optimizer, "optimizer"),
            (LRScheduler, "scheduler"),
            (torch.amp.GradScaler, "scaler"),
        ):
            watch(owner, "state_dict", self._take, self._taken(of))
            watch(owner, "load_state_dict", self._put, self._restored(of))

    def _file(self, target: Any) -> str:
        name = target if isinstance(target, (str, os.PathLike)) else getattr(target, "name", "")
        return os.path.basename(str(name))[-100:]

    def _saved(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        value = args[0] if args else kwargs.get("obj")
        target = args[1] if len(args) > 1 else kwargs.get("f")
        step = self.flight.step
        self.flight.always("save", file=self._file(target), holds=holds(value), step=step)

    def _loaded(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        source = args[0] if args else kwargs.get("f")
        told = {"file": self._file(source), "holds": holds(result)}
        self.flight.always("load", **told, step=self.flight.step)

    def _take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._taking += 1
        return self._taking

    def _taken(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            self._taking = max(0, self._taking - 1)
            if note == 1:  # a module asks its children too
                self.flight.always("state", of=of, step=self.flight.step)

        return after

    def _put(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._putting += 1
        return self._putting

    def _restored(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            self._putting = max(0, self._putting - 1)
            if note == 1:
                index = self.flight.model(args[0]) if of == "model" else -1
                self.flight.always("restore", of=of, model=index, step=self.flight.step)

        return after

    def report(self) -> dict[str, Any]:
        return {}
