from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Sequence

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


class Leaf:
    """A private copy of somebody's tensor, with a tape of its own."""

    def __init__(self, given: Tensor) -> None:
        self.tensor = torch.empty_like(given, requires_grad=False).copy_(given.detach())
        self.tensor.requires_grad_(True)

    def slope(self, y: Tensor, keep: bool = False) -> Tensor:
        """dy/dx for a scalar y; zeros where y was not made from x."""
        if not y.requires_grad:
            return torch.zeros_like(self.tensor).detach()
        (g,) = torch.autograd.grad(
            y.sum(), self.tensor, retain_graph=keep, allow_unused=True, materialize_grads=True
        )
        return g


@dataclass
class Scaler:
    """Means and deviations of columns."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, x: Tensor) -> "Scaler":
        deviation, mean = torch.std_mean(x, dim=0, correction=0, keepdim=True)
        return cls(mean, deviation)

    def __call__(self, x: Tensor) -> Tensor:
        scaled = (x - self.mean) / self.deviation
        return torch.where(self.deviation == 0, torch.zeros_like(scaled), scaled)



def standardise(x: Tensor) -> Tensor:
    scaler = Scaler.of(x)
    n = max(len(x), 2)
    scaler.deviation = scaler.deviation * (n / (n - 1)) ** 0.5
    return scaler(x)


def gradient(f: Function, x: Tensor) -> Tensor:
    leaf = Leaf(x)
    y = f(leaf.tensor)
    if y.numel() != 1:
        raise ValueError("a gradient needs a scalar")
    return leaf.slope(y)


@dataclass
class Bucket:
    level: Tensor
    readings: list[Tensor] = field(default_factory=list)

    def pour(self, water: Tensor) -> None:
        self.level = self.level + water
        self.readings.append(self.level)


def accumulated_gradient(losses: Sequence[Function], x: Tensor) -> Tensor:
    bucket = Bucket(torch.zeros_like(x).detach())
    for loss in losses:
        leaf = Leaf(x)
        bucket.pour(leaf.slope(loss(leaf.tensor)))
    if not bucket.readings:
        return x.detach().new_zeros((0,) + tuple(x.shape))
    return torch.stack(bucket.readings)


class Chain:
    def __init__(self, functions: Sequence[Function]) -> None:
        self.functions = functions

    def values(self, x: Tensor) -> list[Tensor]:
        found = [x]
        for function in self.functions:
            found.append(function(found[-1]))
        return found


def chain(functions: Sequence[Function], x: Tensor) -> list[Tensor]:
    *inputs, end = Chain(functions).values(Leaf(x).tensor)
    return list(torch.autograd.grad(end, inputs))


class TwoLayers(torch.nn.Module):
    def __init__(self, W1: Tensor, W2: Tensor) -> None:
        super().__init__()
        self.W1 = torch.nn.Parameter(W1.detach().clone())
        self.W2 = torch.nn.Parameter(W2.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.mv(self.W2, torch.nn.functional.relu(torch.mv(self.W1, x)))


def two_layer_gradients(W1, W2, x, target):
    network = TwoLayers(W1, W2)
    loss = torch.nn.functional.mse_loss(network(x), target)
    loss.backward()
    return loss.item(), network.W1.grad, network.W2.grad


def jacobian(f: Function, x: Tensor) -> Tensor:
    leaf = Leaf(x)
    outputs = f(leaf.tensor)
    return torch.stack([leaf.slope(one, keep=True) for one in outputs.unbind()])


class Line:
    """y = w x, and how it learns."""

    def __init__(self, w: float, x: Tensor, y: Tensor) -> None:
        self.w = torch.nn.Parameter(torch.tensor(float(w), dtype=x.dtype))
        self.x, self.y = x, y

    def loss(self) -> Tensor:
        return torch.nn.functional.mse_loss(self.w * self.x, self.y)

    def step(self, lr: float) -> float:
        self.w.grad = None
        loss = self.loss()
        loss.backward()
        self.w.data.add_(self.w.grad, alpha=-lr)
        return loss.item()


def descend(w, x, y, lr, steps):
    line = Line(w, x, y)
    weights, losses = [], []
    for _ in range(steps):
        losses.append(line.step(lr))
        weights.append(float(line.w.detach()))
    return weights, losses


class Tape:
    def __init__(self, node) -> None:
        self.node = node

    def __iter__(self):
        node = self.node
        while node is not None:
            yield node
            edges = [edge for edge, _ in node.next_functions if edge is not None]
            node = edges[0] if edges else None


def tape(t: Tensor) -> list[str]:
    return [type(node).__name__ for node in Tape(t.grad_fn)]
