"""Fixtures: the objects that a driven function is handed, built in the box from secret tensors.

They are what a program would make itself: a real module, a real DataLoader, PyTorch's own SGD, a
real scheduler and scaler. One thing is unusual. `Net` drops a fixed set of units in training mode,
so that its answers differ between training and evaluation without any chance, and can be computed
outside. Which function is driven, and which fixture stands in which place of its arguments, an
assignment says by roles:

    model                 a `Net` with the secret weights
    loader, train_loader  batches of the secret images, in order, the last one short
    val_loader            batches of other secret images
    batch, group          one batch a call; a list of batches a call
    loss_fn               cross-entropy, with label smoothing where the fixture says so
    optimizer             SGD on the model's parameters
    scheduler             factors that are all different and in no order
    scaler                a GradScaler on the CPU

and any other role is a value of the fixture's own (`epochs`, `max_norm`, `per_batch`, `device`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class FixedDropout(nn.Dropout):
    """Dropout whose mask never changes: in training mode the same units are always dropped.

    mask: (units,) of zeros and of 1 / (1 - p), applied in training mode only.
    """

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(p=float((mask == 0).float().mean()))
        self.register_buffer("mask", mask.clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.mask if self.training else x


class Net(nn.Module):
    """(B, 1, 28, 28) or (B, 784) float32 -> (B, classes) logits: linear, dropout, ReLU, linear.

    Built from w1 (H, 784), w2 (classes, H), mask (H,); the linear layers have no bias.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        hidden, inputs = tensors["w1"].shape
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(inputs, hidden, bias=False)
        self.drop: FixedDropout = FixedDropout(tensors["mask"])
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, len(tensors["w2"]), bias=False)
        with torch.no_grad():
            self.fc1.weight.copy_(tensors["w1"])
            self.fc2.weight.copy_(tensors["w2"])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(self.act(self.drop(self.fc1(self.flatten(x)))))
        return out


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Images (N, 1, 28, 28) float32 with labels (N,) int64, and the attributes of torchvision's."""

    def __init__(self, images: Tensor, labels: Tensor, classes: int = 10) -> None:
        self.data = images
        self.targets = labels.long()
        self.classes = [str(i) for i in range(classes)]
        self.served = 0

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        self.served += 1
        return self.data[index], self.targets[index]


class Fixtures:
    """One set of fixtures. `values`: batch (size), lr, momentum, smoothing, training (the mode the
    model is left in), and where they are asked for groups (batches a call), factors and per_batch
    (of the scheduler), scaler {enabled, scale, interval}, overflow {call, factor}.

    tensors: w1, w2, mask, images, labels, and val_images, val_labels for a val_loader.
    """

    def __init__(self, values: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.values, self.tensors = values, tensors
        self.call = 0
        self.model = Net(tensors).train(bool(values.get("training", True)))
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=values["lr"], momentum=values.get("momentum", 0.0)
        )
        self.scaler = _scaler(**values["scaler"]) if "scaler" in values else None
        self.scheduler = None
        if "factors" in values:
            factors: list[float] = values["factors"]
            self.scheduler = torch.optim.lr_scheduler.LambdaLR(
                self.optimizer, lambda n: factors[min(n, len(factors) - 1)]
            )
        self._mean = nn.CrossEntropyLoss(label_smoothing=values.get("smoothing", 0.0))
        self._loaders: dict[str, DataLoader[tuple[Tensor, Tensor]]] = {}
        self._served: dict[str, int] = {}

    def arguments(self, roles: list[str]) -> list[Any]:
        """The fixtures for these roles, for the present call."""
        return [self._of(role) for role in roles]

    def _of(self, role: str) -> Any:
        if role in ("model", "optimizer", "scaler", "scheduler"):
            return getattr(self, role)
        if role in ("loader", "train_loader", "val_loader"):
            return self.loader("val" if role == "val_loader" else "train")
        if role == "loss_fn":
            return self._loss()
        if role == "batch":
            return self.batches()[self.call]
        if role == "group":
            sizes: list[int] = self.values["groups"]
            first = sum(sizes[: self.call])
            return self.batches()[first : first + sizes[self.call]]
        if role == "device":
            return torch.device(self.values.get("device", "cpu"))
        return self.values[role]

    def loader(self, part: str) -> DataLoader[tuple[Tensor, Tensor]]:
        """The loader of one part, the same object in every call."""
        if part not in self._loaders:
            prefix = "" if part == "train" else "val_"
            images = Images(self.tensors[f"{prefix}images"], self.tensors[f"{prefix}labels"])
            self._loaders[part] = DataLoader(images, batch_size=self.values["batch"])
        return self._loaders[part]

    def served(self) -> str:
        """The part whose images were read last: "train", "val", or "" for neither since the last
        time that this was asked.
        """
        counts = {
            part: getattr(loader.dataset, "served", 0) for part, loader in self._loaders.items()
        }
        fresh = [part for part, n in counts.items() if n > self._served.get(part, 0)]
        self._served = counts
        return fresh[0] if len(fresh) == 1 else ""

    def part_of(self, *args: Any, **kwargs: Any) -> str:
        """The part whose loader is among these arguments, wrapped or not; "train" for neither."""
        for value in (*args, *kwargs.values()):
            for part, loader in self._loaders.items():
                if value is loader or getattr(value, "dataset", None) is loader.dataset:
                    return part
        for value in (*args, *kwargs.values()):
            if hasattr(value, "__iter__") and not isinstance(value, (nn.Module, str)):
                for _ in value:  # a wrapper is asked by reading it
                    pass
                return self.served() or "train"
        return "train"

    def batches(self) -> list[list[Tensor]]:
        """Pairs of images and labels, as a DataLoader's default collation gives them."""
        size = self.values["batch"]
        x = torch.split(self.tensors["images"], size)
        y = torch.split(self.tensors["labels"].long(), size)
        return [list(pair) for pair in zip(x, y, strict=True)]

    def _loss(self) -> Callable[[Tensor, Tensor], Tensor] | nn.Module:
        """The loss function; one that overflows where the fixture says so."""
        overflow = self.values.get("overflow")
        if overflow is None or overflow["call"] != self.call:
            return self._mean

        def overflowing(logits: Tensor, labels: Tensor) -> Tensor:
            loss: Tensor = self._mean(logits, labels) * overflow["factor"]
            return loss

        return overflowing


def _scaler(*, enabled: bool, scale: float, interval: int) -> torch.amp.GradScaler:
    return torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=interval, enabled=enabled)
