"""Functions and tensors with a history, for the checks of this assignment to hand to a program.

Each name below is a function that makes one of them from a few numbers. They are made in the box,
and hold no secret and no answer: the numbers are what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


# functions with one number as their result


def square() -> Function:
    """v² of a tensor with one entry."""
    return lambda v: v**2


def tanh() -> Function:
    """The tanh of v, a tensor with one entry."""
    return torch.tanh


def line(slope: float) -> Function:
    """A line, slope · v, of a tensor with one entry."""
    return lambda v: slope * v


def neuron() -> Function:
    """The square of 3w + b - 5, of (w, b)."""
    return lambda v: (v[0] * 3 + v[1] - 5) ** 2


def mix(a: float, b: float, c: float) -> Function:
    """tanh, squares and products of neighbours, added up; for a tensor of any shape."""

    def f(v: Tensor) -> Tensor:
        flat = v.reshape(-1)
        return (torch.tanh(a * v) + b * v * v).sum() + c * (flat[:-1] * flat[1:]).sum()

    return f


def dot(u: Tensor) -> Function:
    """The sum of u · v, entry by entry."""
    return lambda v: (u * v).sum()


def constant(value: float) -> Function:
    """The same number, whatever v is."""
    return lambda v: torch.tensor(value, dtype=v.dtype)


# functions with several


def wave(a: float) -> Function:
    """sin(a · v), entry by entry."""
    return lambda v: torch.sin(a * v)


def halves() -> Function:
    """The first half of a vector times its second half."""
    return lambda v: v[: len(v) // 2] * v[len(v) // 2 :]


def layer(weights: Tensor) -> Function:
    """tanh(W · v)."""
    return lambda v: torch.tanh(weights @ v)


def single(u: Tensor) -> Function:
    """A vector with one entry."""
    return lambda v: (torch.exp(0.1 * v) * u).sum().reshape(1)


def partly(weights: Tensor) -> Function:
    """W · v², and two entries that do not look at v, in the middle and at the end."""

    def f(v: Tensor) -> Tensor:
        full = weights @ (v * v)
        still = full.new_tensor([3.0])
        return torch.cat([full[:1], still, full[1:], still])

    return f


def times(factor: float) -> Function:
    """The product factor · v."""
    return lambda v: factor * v


def plus(number: float) -> Function:
    """The sum v + number."""
    return lambda v: v + number


def three() -> Function:
    """v₀v₁, v₀ + v₁ + v₂ and v₂²."""
    return lambda v: torch.stack([v[0] * v[1], v[0] + v[1] + v[2], v[2] ** 2])


# tensors that were computed


def computed(data: Tensor) -> Tensor:
    """A tensor in the middle of somebody's graph."""
    leaf = data.clone().requires_grad_()
    return 1.0 * leaf


def grown(kind: str, a: float, b: float) -> Tensor:
    """The end of a small graph, made from two numbers."""
    x = torch.tensor([a, b], requires_grad=True)
    y = torch.tensor([b, a], requires_grad=True)
    if kind == "chain":
        return 3 * x**2 + 1
    if kind == "two ways":
        return torch.sin(x) * torch.exp(y)
    if kind == "constant first":
        return torch.tensor([2.0, 3.0]) * torch.log(torch.cosh(y))
    if kind == "matrix":
        weights = torch.ones(3, 2, requires_grad=True)
        return torch.relu(weights @ x).mean()
    if kind == "constants in between":
        return torch.where(torch.tensor([True, False]), torch.zeros(2), torch.tanh(y)).sum()
    if kind == "leaf":
        return x
    return x.detach() * 2
