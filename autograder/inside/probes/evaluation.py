"""Probes of `evaluate`, `confusion_matrix` and `per_class_accuracy`.

The watched net of `nets` is handed over in training mode, over loaders whose last batch is
short. Whether its answers depend on the mode is up to the mask among the tensors: all ones
where only numbers are asked for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..plain import number
from ..program import Program
from .nets import Diary, Net, loader


def evaluate(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `evaluate(model, loader)`; args: batch, seed. Returns number and diary."""
    function = program.get("evaluate")
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = Net(tensors, diary).train()
    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary)
    returned = function(net, batches)
    return {"returned": number(returned), **diary.report()}, {}


def _matrix(value: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A returned array as kind, dtype and tensor (float64, non-finite values and all)."""
    data: dict[str, Any] = {"kind": type(value).__name__[:80], "dtype": ""}
    try:
        tensor = value.detach().cpu() if isinstance(value, Tensor) else torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return data, {}
    if tensor.numel() > 10_000 or tensor.is_complex():
        return data, {}
    data["dtype"] = str(getattr(value, "dtype", tensor.dtype)).removeprefix("torch.")[:20]
    return data, {"returned": tensor.to(torch.float64)}


def confusion(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `confusion_matrix(model, loader, n_classes)`; args: batch, classes, seed."""
    function = program.get("confusion_matrix")
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = Net(tensors, diary).train()
    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary)
    return _matrix(function(net, batches, args["classes"]))


def per_class(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `per_class_accuracy(matrix)` on the int64 tensor `matrix`."""
    function = program.get("per_class_accuracy")
    return _matrix(function(tensors["matrix"].clone()))
