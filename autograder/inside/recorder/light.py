"""The light hooks that watch a whole run: what stepped, which data sets were read, what was saved.

Theory. A full run is the student's own compute, so what watches it must cost next to nothing
(measured: under 3 % of a 784-256-10 step). Three things are cheap enough:

    a global optimizer hook     a few dictionary look-ups per step: count, learning rates, and whose
                                parameters the optimizer holds, at the first step and whenever one
                                of the program's names stands for another module since
    DataLoader.__init__         remembers the data set, for its `transform`
    torch.save                  file names, and how many steps had been taken

The hook is PyTorch's own (`register_optimizer_step_post_hook`); updates written by hand pass it
by, and a GradScaler that skips a step on inf leaves no trace. So the record is testimony that
guides and explains; points rest on replays. Records are capped, and everything in `report()` is
plain JSON.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader

from ..plain import plain
from ..program import Program

__all__ = ["Recorder", "current", "held_parameters", "install", "plain"]

OPTIMIZERS_CAP, DATASETS_CAP, SAVES_CAP, RATES_CAP, MODULES_CAP = 16, 64, 32, 8, 32


def held_parameters(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
    """How many parameter tensors `module` has, how many of them `optimizer` holds, and how many
    of them are frozen: {"parameters", "held", "frozen"}.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = list(module.parameters())
    return {
        "parameters": len(own),
        "held": sum(id(p) in held for p in own),
        "frozen": sum(not p.requires_grad for p in own),
    }


@dataclass
class _Stepped:
    """One optimizer's record. `optimizer` is kept so that its id stays its own."""

    optimizer: torch.optim.Optimizer
    steps: int = 0
    rates: list[float] = field(default_factory=list)
    modules: dict[str, dict[str, int]] = field(default_factory=dict)
    known: dict[str, nn.Module] = field(default_factory=dict)
    renewed: dict[str, dict[str, int]] = field(default_factory=dict)


class Recorder:
    """What one run of a program was seen to do."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps = 0
        self.datasets: list[Any] = []
        self._stepped: dict[int, _Stepped] = {}
        self._saves: list[dict[str, Any]] = []

    def stepped(self, optimizer: torch.optim.Optimizer) -> None:
        """After each optimizer step."""
        self.steps += 1
        record = self._stepped.get(id(optimizer))
        if record is None:
            if len(self._stepped) >= OPTIMIZERS_CAP:
                return
            record = self._stepped[id(optimizer)] = _Stepped(optimizer)
            for name, value in list(self.program.namespace.items())[:2000]:
                if isinstance(value, nn.Module) and len(record.modules) < MODULES_CAP:
                    record.known[name] = value
                    record.modules[name[:100]] = held_parameters(value, optimizer)
        record.steps += 1
        for name, module in record.known.items():
            value = self.program.namespace.get(name)
            if value is not module and isinstance(value, nn.Module):
                record.known[name] = value
                after = {"steps": record.steps - 1}
                record.renewed[name[:100]] = held_parameters(value, optimizer) | after
        rate = optimizer.param_groups[0].get("lr")  # an optimizer of the student's may have none
        if rate is None or len(record.rates) >= RATES_CAP:
            return
        if not record.rates or rate != record.rates[-1]:
            record.rates.append(rate)

    def loading(self, dataset: Any) -> None:
        """When a DataLoader is built over `dataset`."""
        if len(self.datasets) < DATASETS_CAP and not any(d is dataset for d in self.datasets):
            self.datasets.append(dataset)

    def saved(self, target: Any) -> None:
        """After `torch.save` to `target` (a path, or a file object)."""
        if len(self._saves) < SAVES_CAP:
            name = target if isinstance(target, str) else getattr(target, "name", "")
            self._saves.append({"file": str(name)[-200:], "steps": self.steps})

    def report(self) -> dict[str, Any]:
        """The record as JSON: `steps`, `optimizers`, `datasets`, `saves`.

        Of an optimizer: `modules`, what it held of each at its first step, and `renewed`, what of
        those that took their names later, after how many `steps` of its own.
        """
        return {
            "steps": self.steps,
            "optimizers": [
                {
                    "type": type(r.optimizer).__name__[:100],
                    "steps": r.steps,
                    "rates": [plain(x) for x in r.rates],
                    "modules": r.modules,
                    "renewed": r.renewed,
                }
                for r in self._stepped.values()
            ],
            "datasets": [type(d).__name__[:100] for d in self.datasets],
            "saves": self._saves,
        }


_active: list[Recorder] = []


def current() -> Recorder | None:
    """The recorder of this process's program, for probes that run beside it."""
    return _active[-1] if _active else None


def install(program: Program) -> Recorder:
    """Begin to watch `program`, before it loads; returns the recorder to ask for its report.

    A process runs one program, so the hooks stay until it ends. Installed a second time (tests
    do), only the newest recorder listens.
    """
    torch.compiler.set_stance("force_eager")  # a box has no compiler for C++, and needs none
    recorder = Recorder(program)
    first = not _active
    _active.append(recorder)
    if not first:
        return recorder

    def stepped(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        _active[-1].stepped(optimizer)

    register_optimizer_step_post_hook(stepped)

    build = DataLoader.__init__

    @functools.wraps(build)
    def building(self: Any, dataset: Any, *args: Any, **kwargs: Any) -> None:
        build(self, dataset, *args, **kwargs)
        _active[-1].loading(dataset)

    DataLoader.__init__ = building  # type: ignore[method-assign]

    save = torch.save

    @functools.wraps(save)
    def saving(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
        save(obj, f, *args, **kwargs)
        _active[-1].saved(f)

    torch.save = saving
    return recorder
