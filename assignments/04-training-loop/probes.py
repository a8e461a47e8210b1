"""The probes of this assignment: matrices of counts, and what a figure holds."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..plain import finite
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


CAP = 50
"""Curves of a figure, and points of a curve, that are handed out."""


def _drawn(figure: Any) -> list[list[float | str]]:
    """The heights of everything drawn: lines, points and bars, one list each."""
    found: list[Any] = []
    for axes in figure.axes:
        found.extend(line.get_ydata() for line in axes.lines)
        found.extend([offset[1] for offset in group.get_offsets()] for group in axes.collections)
        found.extend([bar.get_height() for bar in group] for group in axes.containers)
    return [[finite(float(v)) for v in list(heights)[:CAP]] for heights in found[:CAP]]


def plot(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `plot_history(args["history"])`: what came back, and the curves in it."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    function = program.get("plot_history")
    history = {k: list(v) for k, v in args["history"].items()}
    returned = function(history)
    data: dict[str, Any] = {"kind": type(returned).__name__[:80], "drawn": []}
    if isinstance(returned, Figure):
        data["kind"] = "Figure"
        data["drawn"] = _drawn(returned)
    return data, {}
