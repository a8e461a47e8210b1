"""Probes of `fit` and `plot_history`.

`fit` is called on a watched net. With `scripted`, the program's own `train_one_epoch` and
`evaluate` are replaced by stand-ins that train nothing and answer from secret tables: then
what `fit` does with their answers can be told apart from what they compute. A `fit` that
never calls them trains for real, and its weights go out to be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..plain import finite, number
from ..program import Program
from .nets import Diary, Net, WatchedSGD, loader

CAP = 50


class _Script:
    """Stand-ins for the two functions that `fit` builds on.

    `train` answers table[loader][epoch], `evaluate` the value that belongs to its loader and
    to the number of epochs trained before.
    """

    def __init__(self, diary: Diary, loaders: dict[str, Any], tables: dict[str, Any]) -> None:
        self.diary = diary
        self.loaders = loaders
        self.tables = tables
        self.trained = 0
        self.evaluated = 0

    def _name(self, values: list[Any]) -> str:
        """Which of the two loaders is among the arguments; a wrapper is asked by iterating it."""
        for value in values:
            for name, known in self.loaders.items():
                if value is known or getattr(value, "dataset", None) is known.dataset:
                    return name
        for value in values:
            if hasattr(value, "__iter__") and not isinstance(value, (nn.Module, str)):
                for _ in value:
                    pass
                return self.diary.source
        return "train"

    def _epoch(self) -> int:
        return self.trained or self.diary.epoch.get("train", 0)

    def train(self, model: nn.Module, *args: Any, **kwargs: Any) -> float:
        name = self._name([*args, *kwargs.values()])
        model.train()
        table: list[float] = self.tables["loss"][name]
        answer = table[min(self.trained, len(table) - 1)]
        self.trained += 1
        return answer

    def evaluate(self, model: nn.Module, *args: Any, **kwargs: Any) -> float:
        name = self._name([*args, *kwargs.values()])
        model.eval()
        self.evaluated += 1
        table: list[float] = self.tables["accuracy"][name]
        return table[min(self._epoch(), len(table) - 1)]


def _series(value: Any) -> dict[str, Any]:
    """One list of the history: its kind, and each entry as `nets.number` gives it."""
    if isinstance(value, Tensor):
        value = list(value) if value.dim() == 1 else value
    if not isinstance(value, (list, tuple)) and hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return {"kind": type(value).__name__[:80]}
    return {"kind": "list", "length": len(value), "values": [number(v) for v in value[:CAP]]}


def fit(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of `fit` on two small loaders.

    args: epochs, batch, lr, seed, scripted, tables. tensors: those of a net, images, labels,
    val_images, val_labels. Returns the history, the diary, how often the stand-ins were
    called, and the last weights.
    """
    function = program.get("fit")
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = Net(tensors, diary).train()
    batch = args["batch"]
    train_loader = loader(tensors["images"], tensors["labels"], batch, diary, "train")
    val_loader = loader(tensors["val_images"], tensors["val_labels"], batch, diary, "val")
    optimizer = WatchedSGD(net.parameters(), lr=args["lr"])
    script = _Script(diary, {"train": train_loader, "val": val_loader}, args["tables"])
    if args["scripted"]:
        program.rebind({"train_one_epoch": script.train, "evaluate": script.evaluate})
    history = function(
        net, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, args["epochs"]
    )
    data: dict[str, Any] = {
        "kind": type(history).__name__[:80],
        "trained": script.trained,
        "evaluated": script.evaluated,
        **diary.report(),
    }
    if isinstance(history, Mapping):
        data["keys"] = [str(k)[:80] for k in list(history)[:CAP]]
        for name in ("train_loss", "val_accuracy"):
            if name in history:
                data[name] = _series(history[name])
    return data, {"weights": net.vector()}


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
