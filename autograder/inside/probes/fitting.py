"""Probe of `plot_history`: what came back, and the curves in it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..plain import finite
from ..program import Program

CAP = 50


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
