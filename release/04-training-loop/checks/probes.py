"""The probes of this assignment: matrices of counts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..program import Program
from .fixtures import Images, Net


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
    net = Net(tensors).train()
    images = Images(tensors["images"], tensors["labels"])
    batches = DataLoader(images, batch_size=args["batch"])
    return _matrix(function(net, batches, args["classes"]))


def per_class(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `per_class_accuracy(matrix)` on the int64 tensor `matrix`."""
    function = program.get("per_class_accuracy")
    return _matrix(function(tensors["matrix"].clone()))
