from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Callable, Iterable

import torch
from torch import Tensor


def same_shapes(a: Tensor, b: Tensor) -> None:
    if a.size() != b.size():
        raise ValueError(f"expected two tensors of one shape, got {a.size()} and {b.size()}")


class LogSumExp:
    """The logarithm of a sum of exponentials, from the largest term downwards."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def __call__(self, z: Tensor) -> Tensor:
        top = z.detach().amax(self.dim, keepdim=True)
        return top + (z - top).exp().sum(self.dim, keepdim=True).log()


def log_softmax(logits: Tensor) -> Tensor:
    return logits - LogSumExp(1)(logits)


class CrossEntropy:
    def check(self, logits: Tensor, targets: Tensor) -> None:
        if logits.ndim != 2:
            raise ValueError("logits: (B, C)")
        if targets.ndim != 1 or len(targets) != len(logits):
            raise ValueError("targets: (B,)")
        if targets.dtype.is_floating_point:
            raise ValueError("targets: whole numbers")

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        self.check(logits, targets)
        classes = torch.arange(logits.shape[1], device=logits.device)
        one_hot = (targets[:, None] == classes).to(logits.dtype)
        return -(log_softmax(logits) * one_hot).sum(dim=1).mean()


cross_entropy = CrossEntropy()


def mse(pred: Tensor, target: Tensor) -> Tensor:
    same_shapes(pred, target)
    return torch.mean(torch.square(target - pred))


def soft_plus(z: Tensor) -> Tensor:
    """log(1 + exp(z)) without an overflow."""
    return z.relu() + torch.log1p(torch.exp(-z.abs()))


def bce_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    same_shapes(logits, targets)
    yes, no = soft_plus(-logits), soft_plus(logits)
    return (targets * yes + (1 - targets) * no).mean()


class Rule(ABC):
    """What all optimizers share; a subclass says what to take off a parameter."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params = tuple(params)
        self.lr = lr
        self.steps = 0

    @abstractmethod
    def change(self, index: int, p: Tensor, g: Tensor) -> Tensor: ...

    def step(self) -> None:
        self.steps += 1
        with torch.no_grad():
            for index, p in enumerate(self.params):
                if p.grad is not None:
                    p.sub_(self.change(index, p, p.grad))

    def zero_grad(self) -> None:
        for p in self.params:
            if p.grad is not None:
                p.grad.detach_()
                p.grad.zero_()


class SGD(Rule):
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        super().__init__(params, lr)
        self.momentum, self.weight_decay = momentum, weight_decay
        self.velocity = None

    def change(self, index: int, p: Tensor, g: Tensor) -> Tensor:
        g = g + p * self.weight_decay
        old = self.velocity
        self.velocity = g if old is None or self.momentum == 0 else g + self.momentum * old
        return self.lr * self.velocity


@dataclass
class Moments:
    first: Tensor
    second: Tensor

    def update(self, g: Tensor, b1: float, b2: float) -> None:
        self.first = b1 * self.first + (1 - b1) * g
        self.second = b2 * self.second + (1 - b2) * g**2


class Adam(Rule):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.betas, self.eps = betas, eps
        self.moments = {k: Moments(torch.zeros_like(p), torch.zeros_like(p)) for k, p in enumerate(self.params)}

    def change(self, index: int, p: Tensor, g: Tensor) -> Tensor:
        b1, b2 = self.betas
        moments = self.moments[index]
        moments.update(g, b1, b2)
        first = moments.first / (1 - b1**self.steps)
        second = moments.second / (1 - b2**self.steps)
        return self.lr * first / (self.eps + second**0.5)


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay

    def change(self, index: int, p: Tensor, g: Tensor) -> Tensor:
        return self.lr * self.weight_decay * p + super().change(index, p, g)


class Diary:
    """Where some parameters have been."""

    def __init__(self, params: list[Tensor], rows: int) -> None:
        self.params = params
        self.pages = params[0].new_empty(rows, sum(p.numel() for p in params)).detach()
        self.row = 0

    def write(self) -> None:
        self.pages[self.row] = torch.nn.utils.parameters_to_vector(self.params).detach()
        self.row += 1


def trajectory(optimizer, params, loss: Callable[[], Tensor], steps: int) -> Tensor:
    diary = Diary(params, steps + 1)
    diary.write()
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True) if isinstance(optimizer, torch.optim.Optimizer) else optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        diary.write()
    return diary.pages
