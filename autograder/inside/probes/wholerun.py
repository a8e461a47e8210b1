"""The first steps of a program, started afresh under generators that were set from outside.

What the weights were before the first step and after each must not depend on the outside.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ..exceptions import StopProgram
from ..program import Program, first_error
from ..recorder.light import held_parameters, plain
from .folder import own_folder, seed_from_outside

Result = tuple[dict[str, Any], dict[str, torch.Tensor]]
PARAMETERS_CAP = 64


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
