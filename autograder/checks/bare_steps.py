"""What each step of a training loop was made of, read off the weights around it.

Theory. With the weights W_k before step k and the batch that came in, the gradient g_k of any
loss can be computed outside the box. A step of any loop built from these beats is a combination

    W_(k+1) - W_k  =  - sum over j <= k of  C[k, j] g_j  -  D[k] W_k

and least squares finds it, because a network has many more weights than a loop has steps. The
pattern of C is the loop:

    diagonal, all equal           plain steps; the entry is the learning rate
    diagonal, not all equal       a schedule or clipping; or, in proportion to the batch, a sum
    lower triangle of ones        gradients that were never cleared (until they are)
    below the diagonal, falling   momentum
    first diagonal below          the step came before the backward pass
    rows of zeros                 steps that were not taken
    D                             weight decay

Which loss it was says the residual: that of the right one is rounding error. Other optimizers do
not combine gradients linearly; they are run on the recomputed gradients and compared. So is
clipping by value, which cuts each number by itself.

A state is (D,) numbers: the varying columns of the first layer, then all other parameters; what
the other columns add is the fixed vector `offset`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .replay import objective

Floats = NDArray[np.float64]

EXACT = 2e-4
"""A residual, relative to the step, below which nothing else need be tried."""
KNOWN = 0.05
"""One below which the best explanation is believed; 16-bit logits and tiny steps leave as much."""
USED = 0.05
"""A coefficient counts above this share of the largest."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "none": lambda z: z,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": torch.nn.functional.gelu,
    "leaky_relu": torch.nn.functional.leaky_relu,
}
OBJECTIVES = ("given", "smoothed", "softmax", "softmax_nll", "raw_nll", "mse")
SMOOTHING = 0.1
"""The usual label smoothing: nobody asked for it, and it is no mistake."""
OPTIMIZERS = ("Adam", "RMSprop", "Adagrad")


class NoChain(Exception):  # noqa: N818 - an answer about a network, not an error
    """The parameters are not those of linear layers one after the other."""


@dataclass(frozen=True, eq=False)
class Watched:
    """The early steps as they were seen. inputs[k]: (B_k, V) float64; labels[k]: (B_k,) int64;
    before, after: (S, D) float64; offsets: (S, H); shapes: those of all parameters, with the
    first one's columns cut to V.
    """

    inputs: tuple[Floats, ...]
    labels: tuple[NDArray[np.int64], ...]
    before: Floats
    after: Floats
    offsets: Floats
    shapes: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> list[int]:
        return [len(y) for y in self.labels]


@dataclass(frozen=True, eq=False)
class Steps:
    """The explanation. `coefficients` is C (S, S); `moved[k]`: step k changed weights;
    `blocks[i]`: parameter i ever did; `residual` relative to the steps; `objective`,
    `activation`, `optimizer` ("" for a linear one) are those of the best explanation; `along`
    is the cosine between the first step and the true descent, where nothing explains the steps;
    `lengths[k]`: the norm of batch k's gradient, of a linear explanation.
    """

    coefficients: Floats
    moved: tuple[bool, ...]
    blocks: tuple[bool, ...]
    residual: float
    objective: str
    activation: str
    optimizer: str
    rows: tuple[int, ...]
    along: float = 0.0
    lengths: tuple[float, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the weights are explained at all."""
        return self.residual < KNOWN

    @property
    def used(self) -> NDArray[np.bool_]:
        """(S, S): whether step k used the gradient of batch j."""
        size = np.abs(self.coefficients)
        largest = size.max(axis=1, keepdims=True)
        return np.asarray((size > USED * largest) & (largest > 0))

    @property
    def clipped(self) -> bool:
        """Whether all gradients were cut to one norm: the rates then vary as they must for rate
        times norm to stay the same, however little the norms differ. A rate of its own does not.
        """
        if not self.lengths or self.optimizer:
            return False
        moved = list(self.moved)
        rates, norms = np.diag(self.coefficients)[moved], np.array(self.lengths)[moved]
        if len(rates) < 3 or not (rates > 0).all():
            return False
        reach = rates * norms
        varies, stays = np.ptp(rates) / rates.mean(), np.ptp(reach) / reach.mean()
        return bool(varies > 1e-3 and stays < varies / 4)


def layers_of(shapes: tuple[tuple[int, ...], ...]) -> list[tuple[int, int | None]]:
    """(weight, bias or None) as indices of parameters, layer by layer. Raises `NoChain`."""
    found: list[tuple[int, int | None]] = []
    for i, shape in enumerate(shapes):
        if len(shape) == 2:
            if found and shapes[found[-1][0]][0] != shape[1]:
                raise NoChain
            found.append((i, None))
        elif len(shape) == 1 and found and found[-1] == (i - 1, None):
            if shapes[i - 1][0] != shape[0]:
                raise NoChain
            found[-1] = (i - 1, i)
        else:
            raise NoChain
    if not found:
        raise NoChain
    return found


def forward(
    parameters: list[Tensor],
    layers: list[tuple[int, int | None]],
    x: Tensor,
    offset: Tensor,
    activation: str,
) -> Tensor:
    """Outputs (B, classes) of the chain of linear layers; `offset` (H,) joins the first."""
    for depth, (w, b) in enumerate(layers):
        z = x @ parameters[w].T
        if depth == 0:
            z = z + offset
        if b is not None:
            z = z + parameters[b]
        x = ACTIVATIONS[activation](z) if depth < len(layers) - 1 else z
    return x


def split(vector: Tensor, shapes: tuple[tuple[int, ...], ...]) -> list[Tensor]:
    """A state (D,) as its parameters. Raises `NoChain` where the sizes do not add up."""
    sizes = [int(np.prod(s)) for s in shapes]
    if sum(sizes) != len(vector):
        raise NoChain
    return [part.reshape(s) for part, s in zip(torch.split(vector, sizes), shapes, strict=True)]


def gradients(seen: Watched, name: str, activation: str) -> Floats:
    """The gradient (S, D) of the objective `name` at the weights before each step."""
    layers = layers_of(seen.shapes)
    found = []
    for k, (x, y) in enumerate(zip(seen.inputs, seen.labels, strict=True)):
        state = torch.from_numpy(seen.before[k])
        leaves = [p.clone().requires_grad_() for p in split(state, seen.shapes)]
        offset = torch.from_numpy(seen.offsets[k])
        logits = forward(leaves, layers, torch.from_numpy(x), offset, activation)
        smoothing = SMOOTHING if name == "smoothed" else 0.0
        known = "given" if name == "smoothed" else name
        loss = objective(known, logits, torch.from_numpy(y), smoothing)
        parts = torch.autograd.grad(loss, leaves)
        found.append(torch.cat([g.reshape(-1) for g in parts]).numpy())
    return np.stack(found)


def _fit(g: Floats, w: Floats, change: Floats) -> tuple[Floats, float]:
    """Least squares of every step on the gradients so far and the weights: (C, residual)."""
    s = len(g)
    everything = np.concatenate([g, w, change])
    gram = everything @ everything.T
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    gram = gram / np.outer(scale, scale)
    c, left = np.zeros((s, s)), []
    for k in range(s):
        if not change[k].any() or not g[: k + 1].any():
            continue
        columns = [j for j in range(k + 1) if g[j].any()] + [s + k]
        target = 2 * s + k
        a = gram[np.ix_(columns, columns)] + 1e-13 * np.eye(len(columns))
        b = gram[columns, target]
        x = np.linalg.solve(a, b)
        left.append(max(0.0, float(1 - 2 * b @ x + x @ a @ x)))
        for j, value in zip(columns[:-1], x[:-1], strict=True):
            c[k, j] = -value * scale[target] / scale[j]
    return c, float(np.sqrt(np.mean(left))) if left else 1.0


def _optimized(name: str, g: Floats, change: Floats) -> tuple[float, float]:
    """(rate, residual) of torch's optimizer `name` run on the gradients."""
    weights = torch.zeros(g.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer: torch.optim.Optimizer = getattr(torch.optim, name)([weights], lr=1.0)
    steps = []
    for row in g:
        before = weights.detach().clone()
        weights.grad = torch.from_numpy(row.copy())
        optimizer.step()
        steps.append((weights.detach() - before).numpy())
    own = np.stack(steps)
    rate = float((own * change).sum() / max(float((own * own).sum()), 1e-300))
    left = float(np.linalg.norm(change - rate * own) / max(float(np.linalg.norm(change)), 1e-300))
    return rate, left


def _clamped(g: Floats, change: Floats) -> tuple[float, float]:
    """(rate, residual) of plain steps whose gradients were clipped value by value: in proportion
    where the step is not at its largest, and of the right sign where it is.
    """
    size = np.abs(change)
    free = size < 0.999 * size.max(axis=1, keepdims=True)
    if not (g[free] != 0).any() or (np.sign(change[~free]) != -np.sign(g[~free])).any():
        return 0.0, 1.0
    rate = -float(change[free] @ g[free]) / float(g[free] @ g[free])
    left = float(np.linalg.norm(change[free] + rate * g[free]))
    return rate, left / max(float(np.linalg.norm(change[free])), 1e-300)


def explain(seen: Watched) -> Steps:
    """The best explanation of the steps. Raises `NoChain` where gradients cannot be computed."""
    change = seen.after - seen.before
    sizes = np.cumsum([0, *(int(np.prod(s)) for s in seen.shapes)])
    parts = [change[:, a:b].any() for a, b in pairwise(sizes)]
    blocks = tuple(bool(p) for p in parts)
    keep = np.repeat(np.array(blocks, dtype=bool), np.diff(sizes))
    moved = tuple(bool(row.any()) for row in change)
    s = len(change)
    rows = tuple(seen.rows)
    if not any(moved):
        return Steps(np.zeros((s, s)), moved, blocks, 0.0, "given", "relu", "", rows)
    best: Steps | None = None
    for activation in ACTIVATIONS:
        for name in OBJECTIVES:
            g = gradients(seen, name, activation)[:, keep]
            if not np.isfinite(g).all():
                continue
            c, left = _fit(g, seen.before[:, keep], change[:, keep])
            if best is None or left < best.residual:
                best = Steps(c, moved, blocks, left, name, activation, "", rows)
                best = replace(best, lengths=tuple(float(n) for n in np.linalg.norm(g, axis=1)))
            if best.residual < EXACT:
                return best
        if best is not None and best.known:
            return best
    g = gradients(seen, "given", "relu")[:, keep]
    k = moved.index(True)
    length = float(np.linalg.norm(change[k]) * np.linalg.norm(g[k])) or 1.0
    along = -float(change[k, keep] @ g[k]) / length
    for name in ("", *OPTIMIZERS):
        rate, left = _optimized(name, g, change[:, keep]) if name else _clamped(g, change[:, keep])
        if best is None or left < best.residual:
            best = Steps(np.eye(s) * rate, moved, blocks, left, "given", "relu", name, rows)
    assert best is not None
    return replace(best, along=along)
