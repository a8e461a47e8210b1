"""Probe of `clip_gradients`: gradients in, gradients out."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..plain import number
from ..program import Program

Result = tuple[dict[str, Any], dict[str, Tensor]]


def clip(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One call of `clip_gradients` for each limit in `args["limits"]`.

    The model has the parameters p0, p1, … and, as long as `tensors` holds them, the gradients
    g0, g1, …; a parameter without one keeps None. Returns for each limit the number returned,
    and the gradients afterwards as tensors `<limit's index>_g<i>`.
    """
    function = program.get("clip_gradients")
    told: list[dict[str, Any]] = []
    found: dict[str, Tensor] = {}
    for at, limit in enumerate(args["limits"]):
        model = nn.ParameterList(
            [nn.Parameter(tensors[f"p{i}"].clone()) for i in range(args["parameters"])]
        )
        for i, p in enumerate(model.parameters()):
            p.grad = tensors[f"g{i}"].clone() if f"g{i}" in tensors else None
        told.append(number(function(model, limit)))
        for i, p in enumerate(model.parameters()):
            if p.grad is not None:
                found[f"{at}_g{i}"] = p.grad.detach().float()
    return {"returned": told}, found
