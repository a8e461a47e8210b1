"""The secret inputs of this assignment, and what its well-known mistakes compute for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograder.checks.calls import Case, Own, Tensor, call

from . import probes

Array = np.ndarray[Any, Any]


def _numbers(rng: np.random.Generator, n: int, low: float = 0.4, high: float = 1.6) -> list[float]:
    """Numbers away from 0, with either sign."""
    signs = rng.choice([-1.0, 1.0], n)
    return [round(float(v), 3) for v in rng.uniform(low, high, n) * signs]


def _vector(rng: np.random.Generator, *shape: int, dtype: str = "float64") -> Array:
    return np.asarray(rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape), dtype=dtype)


def _made(value: Own) -> Any:
    """What the probe makes of it, here; arrays become tensors."""
    import torch

    args = [torch.as_tensor(a) if isinstance(a, np.ndarray) else a for a in value.args or ()]
    return getattr(probes, value.name)(*args)


# -- task 1 ----------------------------------------------------------------------------------------


def _table(rng: np.random.Generator, rows: int, columns: int, dtype: str) -> Array:
    scale = 10.0 ** rng.integers(-1, 3, columns)
    table = (rng.normal(size=(rows, columns)) + rng.normal(size=columns)) * scale
    table[:, int(rng.integers(columns))] = float(rng.integers(1, 40)) / 8  # sums of it are exact
    return table.astype(dtype)


def tables(rng: np.random.Generator) -> Iterator[Case]:
    """Tables with a constant column; one with a single row, whose columns all are."""
    yield call(_table(rng, 7, 3, "float64"))
    yield call(_table(rng, 6, 4, "float32"))
    yield call(rng.integers(-40, 40, (1, 4)).astype("float64") / 8)


def owned_tables(rng: np.random.Generator) -> Iterator[Case]:
    """Tables that somebody else goes on using."""
    yield call(_table(rng, 5, 2, "float64"))
    table = _table(rng, 5, 3, "float64")
    yield call(Tensor(table, requires_grad=True, grad=np.ones_like(table)))


def _scaled(x: Array, axis: int | None, less: int = 0) -> Array:
    x = np.asarray(x, dtype="float64")
    centred = x - x.mean(axis=axis, keepdims=True)
    n = x.size if axis is None else x.shape[axis]
    deviation = np.sqrt((centred**2).sum(axis=axis, keepdims=True) / max(n - less, 1))
    return np.asarray(centred / np.where(deviation > 0, deviation, 1))


def over_everything(x: Array) -> Array:
    """Mean and deviation of all entries together."""
    return _scaled(x, None)


def over_rows(x: Array) -> Array:
    """Each row with mean 0 and deviation 1."""
    return _scaled(x, 1)


def less_one(x: Array) -> Array:
    """A deviation that divides by one less than N."""
    return _scaled(x, 0, less=1)


# -- tasks 2 and 3 ---------------------------------------------------------------------------------


def points(rng: np.random.Generator) -> Iterator[Case]:
    """A mix of functions at tensors of several shapes."""
    for shape in ((5,), (2, 3), ()):
        yield call(Own("mix")(*_numbers(rng, 3)), _vector(rng, *shape))
    yield call(Own("mix")(*_numbers(rng, 3)), _vector(rng, 4, dtype="float32"))


def owned_points(rng: np.random.Generator) -> Iterator[Case]:
    """Points that are somebody's: plain, a leaf with a gradient, the middle of a graph."""
    f = Own("mix")(*_numbers(rng, 3))
    x = _vector(rng, 4)
    yield call(f, x)
    yield call(f, Tensor(x, requires_grad=True))
    yield call(f, Tensor(x, requires_grad=True, grad=_vector(rng, 4)))
    yield call(f, Own("computed")(x))


def odd_functions(rng: np.random.Generator) -> Iterator[Case]:
    """Functions that have no gradient, and one that has none to speak of."""
    x = _vector(rng, 3)
    yield call(Own("constant")(_numbers(rng, 1)[0]), x)
    yield call(Own("wave")(_numbers(rng, 1)[0]), x).refused("ValueError")
    yield call(Own("layer")(_vector(rng, 2, 3)), x).refused("ValueError")


def several_losses(rng: np.random.Generator) -> Iterator[Case]:
    """Five losses at one point, and none at all."""
    x = _vector(rng, 3)
    losses = [Own("mix")(*_numbers(rng, 3)) for _ in range(5)]
    yield call(losses, Tensor(x, requires_grad=True, grad=_vector(rng, 3)))
    yield call(losses[:2], _vector(rng, 2, 2))
    yield call([], _vector(rng, 2, 3))


def _slopes(losses: Sequence[Own], x: Array) -> Array:
    import torch

    rows = []
    for loss in losses:
        leaf = torch.tensor(x, requires_grad=True)
        rows.append(torch.autograd.grad(_made(loss)(leaf), leaf)[0].numpy())
    return np.array(rows).reshape(len(losses), *x.shape)


def one_bucket(losses: Sequence[Own], x: Array) -> Array:
    """Every row is the last level."""
    rows = _slopes(losses, x)
    return np.broadcast_to(rows.sum(0), rows.shape)


def cleared_between(losses: Sequence[Own], x: Array) -> Array:
    """Every row is one loss's own gradient."""
    return _slopes(losses, x)


# -- task 4 ----------------------------------------------------------------------------------------


def chains(rng: np.random.Generator) -> Iterator[Case]:
    """Links that change the shape on the way."""
    a, b = _numbers(rng, 2)
    links = [
        Own("wave")(a),
        Own("halves")(),
        Own("layer")(_vector(rng, 4, 3)),
        Own("dot")(_vector(rng, 4)),
    ]
    yield call(links, Tensor(_vector(rng, 6), requires_grad=True, grad=_vector(rng, 6)))
    yield call([Own("times")(b), Own("mix")(*_numbers(rng, 3))], _vector(rng, 2, 3))


def _inputs_of(links: Sequence[Own], x: Array) -> list[Any]:
    import torch

    values = [torch.tensor(x)]
    for link in links:
        values.append(_made(link)(values[-1]).detach())
    return values


def each_link_alone(links: Sequence[Own], x: Array) -> list[Array]:
    """The gradient of each link by itself."""
    import torch

    found = []
    for link, value in zip(links, _inputs_of(links, x), strict=False):
        leaf = value.clone().requires_grad_()
        found.append(torch.autograd.grad(_made(link)(leaf).sum(), leaf)[0].numpy())
    return found


def _right_chain(links: Sequence[Own], x: Array) -> list[Array]:
    import torch

    values = [torch.tensor(x, requires_grad=True)]
    for link in links:
        values.append(_made(link)(values[-1]))
    return [g.numpy() for g in torch.autograd.grad(values[-1], values[:-1])]


def backwards(links: Sequence[Own], x: Array) -> list[Array]:
    """The right gradients, the last one first."""
    return _right_chain(links, x)[::-1]


# -- task 5 ----------------------------------------------------------------------------------------


def _layers(rng: np.random.Generator, outputs: int, hidden: int, inputs: int) -> list[Array]:
    """Layers of which at least one hidden value is open and one is shut."""
    while True:
        w1, x = _vector(rng, hidden, inputs), _vector(rng, inputs)
        open_ = w1 @ x > 0.1
        if open_.any() and (w1 @ x < -0.1).any():
            return [w1, _vector(rng, outputs, hidden), x, _vector(rng, outputs)]


def networks(rng: np.random.Generator) -> Iterator[Case]:
    """Networks of other sizes than the handout's."""
    yield call(*_layers(rng, 3, 6, 2))
    yield call(*_layers(rng, 2, 4, 5))


def owned_networks(rng: np.random.Generator) -> Iterator[Case]:
    """The same, in training: with gradients that belong to somebody."""
    w1, w2, x, target = _layers(rng, 2, 5, 3)
    yield call(w1, w2, x, target)
    first = Tensor(w1, requires_grad=True, grad=np.ones_like(w1))
    yield call(first, Tensor(w2, requires_grad=True), x, target)


def _two_layers(
    w1: Array, w2: Array, x: Array, target: Array, *, relu: bool = True, mean: bool = True
) -> tuple[float, Array, Array]:
    before = w1 @ x
    gate = before > 0 if relu else np.ones_like(before)
    hidden = before * gate
    error = w2 @ hidden - target
    scale = len(error) if mean else 1
    slope = 2 * error / scale
    d_hidden = (w2.T @ slope) * gate
    return float((error**2).sum() / scale), np.outer(d_hidden, x), np.outer(slope, hidden)


def summed(w1: Array, w2: Array, x: Array, target: Array) -> tuple[float, Array, Array]:
    """The loss is a sum over the outputs."""
    return _two_layers(w1, w2, x, target, mean=False)


def linear(w1: Array, w2: Array, x: Array, target: Array) -> tuple[float, Array, Array]:
    """Without the ReLU."""
    return _two_layers(w1, w2, x, target, relu=False)


def cut_to_zero(w1: Array, w2: Array, x: Array, target: Array) -> tuple[float, Array, Array]:
    """Nothing reaches the first layer."""
    loss, d1, d2 = _two_layers(w1, w2, x, target)
    return loss, 0 * d1, d2


def cut_to_none(w1: Array, w2: Array, x: Array, target: Array) -> tuple[float, None, Array]:
    """The same, told as None."""
    loss, _, d2 = _two_layers(w1, w2, x, target)
    return loss, None, d2


# -- task 6 ----------------------------------------------------------------------------------------


def fields(rng: np.random.Generator) -> Iterator[Case]:
    """Functions with more or fewer outputs than inputs, some of which ignore them."""
    yield call(Own("layer")(_vector(rng, 3, 5)), _vector(rng, 5))
    yield call(Own("partly")(_vector(rng, 3, 2)), _vector(rng, 2))
    x = _vector(rng, 4)
    yield call(Own("single")(_vector(rng, 4)), Tensor(x, requires_grad=True, grad=_vector(rng, 4)))


def piled_up(f: Own, x: Array) -> Array:
    """Each row with all rows above it."""
    import torch

    found = torch.autograd.functional.jacobian(_made(f), torch.tensor(x))
    return np.asarray(found.numpy().cumsum(0))


# -- task 7 ----------------------------------------------------------------------------------------


def data(rng: np.random.Generator) -> Iterator[Case]:
    """Points near a line, and a rate at which the descent settles."""
    for n in (9, 4):
        x = _vector(rng, n, dtype="float32")
        y = (x * _numbers(rng, 1)[0] + rng.normal(0, 0.1, n)).astype("float32")
        rate = round(float(rng.uniform(0.15, 0.3) / float((x * x).mean())), 4)
        yield call(_numbers(rng, 1, 2.0, 4.0)[0], x, y, rate, 12)


def _descent(
    w: float, x: Array, y: Array, lr: float, steps: int, *, after: bool = False, how: str = ""
) -> tuple[list[float], list[float]]:
    x, y = x.astype("float64"), y.astype("float64")
    weights, losses, held = [], [], 0.0
    for step in range(steps):
        slope = float((2 * (w * x - y) * x).mean())
        loss = float(((w * x - y) ** 2).mean())
        if how == "never cleared":
            held += slope
        elif how != "first slope" or step == 0:
            held = slope
        w -= lr * held
        weights.append(w)
        losses.append(float(((w * x - y) ** 2).mean()) if after else loss)
    return weights, losses


def never_cleared(w: float, x: Array, y: Array, lr: float, steps: int) -> Any:
    """The gradients of all steps so far."""
    return _descent(w, x, y, lr, steps, how="never cleared")


def loss_after(w: float, x: Array, y: Array, lr: float, steps: int) -> Any:
    """The loss is measured after the step."""
    return _descent(w, x, y, lr, steps, after=True)


def first_slope(w: float, x: Array, y: Array, lr: float, steps: int) -> Any:
    """Every step follows the gradient of the first."""
    return _descent(w, x, y, lr, steps, how="first slope")


# -- task 8 ----------------------------------------------------------------------------------------


def histories(rng: np.random.Generator) -> Iterator[Case]:
    """Tensors with a history, and two without."""
    kinds = ("two ways", "constant first", "matrix", "constants in between", "leaf", "typed in")
    for kind in kinds:
        yield call(Own("grown")(kind, *_numbers(rng, 2)))


def _names(t: Own, edge: int) -> list[str]:
    names, node = [], _made(t).grad_fn
    while node is not None:
        names.append(type(node).__name__)
        before = [other for other, _ in node.next_functions if other is not None]
        node = before[edge] if before else None
    return names


def stops_early(t: Own) -> list[str]:
    """Without the leaf's end of the tape."""
    return [n for n in _names(t, 0) if n != "AccumulateGrad"]


def last_edge(t: Own) -> list[str]:
    """Along the last edge."""
    return _names(t, -1)
