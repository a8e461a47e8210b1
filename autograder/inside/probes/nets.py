"""Small watched networks and loaders, built in the box from secret tensors.

A probe that hands a student's function a model wants three things of it: that it is an
ordinary `nn.Module` on images of the real shape, that its answer differs between training
and evaluation mode without any randomness, and that it remembers how it was used. `Net` is
Flatten - Linear - FixedDropout - ReLU - Linear, where FixedDropout drops a fixed set of
units: dropout's effect, but the same in every run, so that a trajectory can be computed
outside. What happened is kept in a `Diary`: one letter per beat, in order, and one entry per
forward call.

    h  the loader handed out a batch        f  a forward call
    b  a backward pass reached the output   s  an optimizer stepped
    z  gradients were zeroed by a call      e  an iteration over a loader began

`p.grad = None` leaves no letter; whether gradients were there at a backward pass or a step
is therefore written down beside the letters.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, Dataset

from ..plain import finite

CAP = 400
"""Entries kept of each record; far above what one honest run of a probe makes."""


class _Marker:
    """Lives exactly as long as the graph node whose hook holds it."""


@dataclass
class Diary:
    """What happened to the watched objects of one probe, in order."""

    beats: list[str] = field(default_factory=list)
    forwards: list[dict[str, Any]] = field(default_factory=list)
    dirty: list[float] = field(default_factory=list)
    """Norm of the gradients found at each backward pass, before it added its own."""
    stepped: list[float] = field(default_factory=list)
    """Norm of the gradients found at each step of the given optimizer."""
    graphs: int = 0
    """The largest number of forward graphs alive at once, beyond collection."""
    others: int = 0
    """Steps of optimizers other than the given one."""
    source: str = ""
    """The loader that handed out the last batch."""
    epoch: dict[str, int] = field(default_factory=dict)
    _markers: list[weakref.ref[_Marker]] = field(default_factory=list)

    def beat(self, letter: str) -> None:
        if len(self.beats) < CAP:
            self.beats.append(letter)

    def mark(self, output: Tensor, entry: dict[str, Any], module: nn.Module) -> None:
        """Follow the graph of `output`: how long it lives, and whether backward reaches it."""
        marker = _Marker()

        def reached(gradient: Tensor, kept: _Marker = marker) -> None:
            entry["backward"] = True
            if len(self.dirty) < CAP:
                self.dirty.append(gradient_norm(module))
            self.beat("b")

        output.register_hook(reached)  # type: ignore[no-untyped-call]
        self._markers.append(weakref.ref(marker))

    def stepped_too_early(self) -> bool:
        """Whether a step with gradients came between the last forward and its backward pass."""
        beats = "".join(self.beats)
        last = beats[beats.rfind("f") + 1 :]
        return last.lstrip("zeh").startswith("s") and self.stepped[-1] > 0

    def count_graphs(self) -> None:
        """Note how many graphs are alive now; garbage is collected before many are believed."""
        alive = sum(ref() is not None for ref in self._markers)
        if alive > max(2, self.graphs):
            gc.collect()
            alive = sum(ref() is not None for ref in self._markers)
        self.graphs = max(self.graphs, alive)

    def report(self) -> dict[str, Any]:
        """The diary as plain data."""
        return {
            "beats": "".join(self.beats),
            "forwards": self.forwards[:CAP],
            "dirty": [finite(v) for v in self.dirty],
            "stepped": [finite(v) for v in self.stepped],
            "graphs": self.graphs,
            "others": self.others,
        }


def gradient_norm(module: nn.Module) -> float:
    """Euclidean norm over all gradients of a module; 0.0 where there are none."""
    found = [p.grad.detach().float().norm() for p in module.parameters() if p.grad is not None]
    return float(torch.stack(found).norm()) if found else 0.0


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
    """The watched network: (B, 1, 28, 28) or (B, 784) float32 -> (B, classes) logits.

    Built from w1 (H, 784), w2 (classes, H), mask (H,); the linear layers have no bias.
    """

    def __init__(self, tensors: dict[str, Tensor], diary: Diary) -> None:
        super().__init__()
        hidden, inputs = tensors["w1"].shape
        classes = tensors["w2"].shape[0]
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(inputs, hidden, bias=False)
        self.drop: FixedDropout = FixedDropout(tensors["mask"])
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, classes, bias=False)
        with torch.no_grad():
            for p, value in zip(self.parameters(), weights(tensors), strict=True):
                p.copy_(value)
        self._diary = diary

    def __deepcopy__(self, memo: dict[int, Any]) -> Net:
        """A copy writes into the same diary."""
        tensors = dict(zip(_NAMES, (p.detach() for p in self.parameters()), strict=True))
        copy = Net({**tensors, "mask": self.drop.mask}, self._diary)
        copy.train(self.training)
        memo[id(self)] = copy
        return copy

    def zero_grad(self, set_to_none: bool = True) -> None:
        self._diary.beat("z")
        super().zero_grad(set_to_none)

    def forward(self, x: Tensor) -> Tensor:
        diary = self._diary
        diary.count_graphs()
        out: Tensor = self.fc2(self.act(self.drop(self.fc1(self.flatten(x)))))
        diary.beat("f")
        entry = {
            "training": self.training and self.drop.training,
            "grad": torch.is_grad_enabled(),
            "graph": out.requires_grad,
            "dtype": str(out.dtype).removeprefix("torch."),
            "rows": int(x.shape[0]),
            "source": diary.source,
            "epoch": diary.epoch.get(diary.source, 0),
            "backward": False,
        }
        if len(diary.forwards) < CAP:
            diary.forwards.append(entry)
        if out.requires_grad:
            diary.mark(out, entry, self)
        return out

    def vector(self) -> Tensor:
        """All parameters as one float32 vector, detached: w1, w2."""
        return torch.cat([p.detach().reshape(-1).float() for p in self.parameters()])


_NAMES = ("w1", "w2")


def weights(tensors: dict[str, Tensor]) -> list[Tensor]:
    """The two weights of `Net`, in the order of its parameters."""
    return [tensors[name] for name in _NAMES]


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Images (N, 1, 28, 28) float32 with labels (N,) int64, and the attributes of torchvision's."""

    def __init__(self, images: Tensor, labels: Tensor, classes: int = 10) -> None:
        self.data = images
        self.targets = labels.long()
        self.classes = [str(i) for i in range(classes)]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.data[index], self.targets[index]


class WatchedLoader(DataLoader[tuple[Tensor, Tensor]]):
    """A real DataLoader, in order, that notes when it begins and when it hands out a batch."""

    _watch: tuple[str, Diary, Callable[[], None]] | None = None

    def watched(self, name: str, diary: Diary, on_batch: Callable[[], None]) -> WatchedLoader:
        self._watch = (name, diary, on_batch)
        return self

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self._watch is None:
            yield from super().__iter__()
            return
        name, diary, on_batch = self._watch
        diary.beat("e")
        diary.epoch[name] = diary.epoch.get(name, 0) + 1
        for batch in super().__iter__():
            on_batch()
            diary.source = name
            diary.beat("h")
            yield batch


def loader(
    images: Tensor,
    labels: Tensor,
    batch: int,
    diary: Diary,
    name: str = "train",
    on_batch: Callable[[], None] = lambda: None,
) -> WatchedLoader:
    """A watched loader over images in order; the last batch is as short as it falls."""
    return WatchedLoader(Images(images, labels), batch_size=batch).watched(name, diary, on_batch)


class WatchedSGD(torch.optim.SGD):
    """torch's SGD that writes its `zero_grad` and its steps into a diary."""

    def watched(self, module: nn.Module, diary: Diary) -> WatchedSGD:
        """Start watching; steps of any other optimizer are counted from now on too."""

        def before(optimizer: Any, args: Any, kwargs: Any) -> None:
            if optimizer is self:
                diary.beat("s")
                if len(diary.stepped) < CAP:
                    diary.stepped.append(gradient_norm(module))
            else:
                diary.others += 1

        self._diary = diary
        register_optimizer_step_pre_hook(before)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        if hasattr(self, "_diary"):
            self._diary.beat("z")
        super().zero_grad(set_to_none)
