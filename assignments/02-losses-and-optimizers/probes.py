"""What the checks of this assignment do with parameters: give them gradients, look at them.

Each name below is called in the box beside the program. It holds no secret and no answer: numbers
come with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor


def generator(params: list[Tensor]) -> Iterator[Tensor]:
    """The parameters as `model.parameters()` gives them: once."""
    return (p for p in params)


def _clear(params: list[Tensor]) -> None:
    for p in params:
        p.grad = None


def pull(params: list[Tensor], goals: list[Tensor], scale: float) -> None:
    """A backward pass of scale · the mean of (p - goal) squared, over each parameter, from cleared
    gradients.
    """
    _clear(params)
    loss = sum(((p - g) ** 2).mean() for p, g in zip(params, goals, strict=True))
    (scale * loss).backward()


def fit(params: list[Tensor], inputs: Tensor, outputs: Tensor) -> None:
    """A backward pass of a small network's squared error, from cleared gradients; the network is
    tanh(x · W + b) · V.
    """
    _clear(params)
    w, b, v = params
    ((torch.tanh(inputs @ w + b) @ v - outputs) ** 2).mean().backward()


def parabola(w: Tensor) -> None:
    """A backward pass of the square of w - 1, from a cleared gradient."""
    w.grad = None
    ((w - 1) ** 2).backward()


def still(params: list[Tensor]) -> None:
    """Gradients that are there, and zero."""
    for p in params:
        p.grad = torch.zeros_like(p)


def cleared(params: list[Tensor]) -> list[bool]:
    """Whether each gradient is None or zero."""
    return [p.grad is None or not bool(p.grad.any()) for p in params]


def leaves(params: list[Tensor]) -> list[bool]:
    """Whether each parameter is still a leaf that asks for a gradient."""
    return [p.is_leaf and p.requires_grad for p in params]


# -- task 8: an optimizer, its parameters and their loss come as three arguments -------------------

_walk: dict[str, Any] = {}


def walker(starts: list[Tensor], lr: float, momentum: float) -> torch.optim.Optimizer:
    """PyTorch's SGD over new parameters, which `walker_params` and `walker_loss` then belong to."""
    params = [s.clone().requires_grad_() for s in starts]
    _walk["params"] = params
    return torch.optim.SGD(params, lr=lr, momentum=momentum)


def walker_params() -> list[Tensor]:
    """The parameters of the last `walker`."""
    return list(_walk["params"])


def distance(params: list[Tensor], goals: list[Tensor]) -> Tensor:
    """How far parameters are from their goals."""
    apart = [(1 + (p - g) ** 2).sqrt().sum() for p, g in zip(params, goals, strict=True)]
    return torch.stack(apart).sum()


def walker_loss(goals: list[Tensor]) -> Callable[[], Tensor]:
    """A loss of the last `walker`'s parameters."""
    params = list(_walk["params"])
    return lambda: distance(params, goals)


def walker_squares() -> Callable[[], Tensor]:
    """The sum of the squares of the last `walker`'s parameters."""
    params = list(_walk["params"])
    return lambda: sum((p**2).sum() for p in params)  # type: ignore[return-value]
