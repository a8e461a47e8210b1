"""Calling one function of the program with plain or tensor arguments."""

from __future__ import annotations

from typing import Any

import torch

from ..program import Program

Tensors = dict[str, torch.Tensor]


def call(
    program: Program, args: dict[str, Any], tensors: Tensors
) -> tuple[dict[str, Any], Tensors]:
    """`name(*positional)`; a tensor argument is given as `{"tensor": key}` in `positional`.

    The result goes out as tensor `result` if it is one, else as `value` if it is plain JSON
    data, else as its type's name alone.
    """
    if not program.loaded:
        program.load()
    function = program.get(args["name"])
    positional = [
        tensors[a["tensor"]] if isinstance(a, dict) and "tensor" in a else a
        for a in args.get("positional", [])
    ]
    result = function(*positional)
    told = {"type": type(result).__name__}
    if isinstance(result, torch.Tensor):
        return told, {"result": result}
    if isinstance(result, (bool, int, float, str, list, dict, type(None))):
        return {**told, "value": result}, {}
    return told, {}
