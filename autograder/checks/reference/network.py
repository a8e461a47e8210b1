"""A network as a chain of linear layers: found from its answers, then differentiated outside.

Theory. The parameters' shapes say which layers there are; which function stands between them, and
whether anything follows the last, is found by trying: the right one gives the answers that were
seen, to rounding error, at the weights that were seen. From then on every answer and every gradient
can be computed here, in float64, and a box cannot make them up.

A state is (D,) numbers: the varying columns of the first layer, then all other parameters; what
the other columns add is the fixed vector `offset` (H,). In training mode the hidden units of a
fixture are multiplied by its `mask`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Floats = NDArray[np.float64]
Shapes = tuple[tuple[int, ...], ...]

SAME = 2e-4
"""Largest distance of two answers that agree, relative to their spread: float32 against float64
differs by 1e-6 to 1e-5."""
SAME_REDUCED = 0.06
"""The same where answers came in 16 bits; bfloat16 carries 8 bits, and layers add up."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "none": lambda z: z,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "leaky_relu": F.leaky_relu,
    "silu": F.silu,
    "elu": F.elu,
    "softplus": F.softplus,
    "relu6": F.relu6,
}
HEADS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda z: z,
    "log_softmax": lambda z: z.log_softmax(1),
    "softmax": lambda z: z.softmax(1),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
"""What a program may put behind its last layer."""


class NoChain(Exception):  # noqa: N818 - an answer about a network, not an error
    """The parameters are not those of linear layers one after the other."""


def layers_of(shapes: Shapes) -> list[tuple[int, int | None]]:
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


@dataclass(frozen=True, eq=False)
class Sample:
    """One forward pass as it was seen: state (D,), offset (H,), inputs (B, V), answers (B, C)."""

    state: Floats
    offset: Floats
    inputs: Floats
    answers: Floats
    training: bool


@dataclass(frozen=True)
class Chain:
    """A chain of linear layers. `activations`: one name per hidden layer; `head`: what follows the
    last layer; `mask` multiplies the first hidden layer in training mode.
    """

    shapes: Shapes
    activations: tuple[str, ...]
    head: str = "none"
    mask: tuple[float, ...] | None = None

    def split(self, state: Tensor) -> list[Tensor]:
        """A state as its parameters. Raises `NoChain` where the sizes do not add up."""
        sizes = [math.prod(s) for s in self.shapes]
        if sum(sizes) != len(state):
            raise NoChain
        parts = torch.split(state, sizes)
        return [p.reshape(s) for p, s in zip(parts, self.shapes, strict=True)]

    def logits(
        self, parameters: list[Tensor], offset: Tensor, x: Tensor, *, training: bool
    ) -> Tensor:
        """What the last layer gives, (B, C)."""
        layers = layers_of(self.shapes)
        z = x
        for depth, (w, b) in enumerate(layers):
            z = x @ parameters[w].T
            z = z + offset if depth == 0 else z
            if b is not None:
                z = z + parameters[b]
            if depth == 0 and len(layers) > 1:
                z = self._masked(z, training=training)
            if depth < len(layers) - 1:
                x = ACTIVATIONS[self.activations[depth]](z)
        return z

    def _masked(self, z: Tensor, *, training: bool) -> Tensor:
        """The first hidden layer, with the units that a fixture drops in training mode."""
        if self.mask is None or not training:
            return z
        return z * torch.tensor(self.mask, dtype=z.dtype)

    def answers(
        self, state: Floats, offset: Floats, inputs: Floats, *, training: bool = False
    ) -> Floats:
        """What the network answers, (B, C) float64, its head included."""
        z = self._logits(state, offset, inputs, training=training)
        return np.asarray(HEADS[self.head](z).numpy())

    def scores(
        self, state: Floats, offset: Floats, inputs: Floats, *, training: bool = False
    ) -> Floats:
        """The logits behind the answers, (B, C) float64."""
        return np.asarray(self._logits(state, offset, inputs, training=training).numpy())

    def _logits(self, state: Floats, offset: Floats, inputs: Floats, *, training: bool) -> Tensor:
        parameters = self.split(torch.from_numpy(np.array(state, dtype=np.float64)))
        at = torch.from_numpy(np.array(offset, dtype=np.float64))
        return self.logits(parameters, at, torch.from_numpy(inputs), training=training)

    def gradient(self, sample: Sample, pull: Floats) -> Floats:
        """The gradient (D,) that the pull (B, C) on the answers leads to."""
        state = torch.from_numpy(np.array(sample.state, dtype=np.float64))
        leaves = [p.clone().requires_grad_() for p in self.split(state)]
        offset = torch.from_numpy(np.array(sample.offset, dtype=np.float64))
        x = torch.from_numpy(sample.inputs)
        z = self.logits(leaves, offset, x, training=sample.training)
        answers = HEADS[self.head](z)
        parts = torch.autograd.grad(
            answers,
            leaves,
            torch.from_numpy(np.array(pull, dtype=np.float64)),
            allow_unused=True,
            materialize_grads=True,
        )
        return np.asarray(torch.cat([g.reshape(-1) for g in parts]).numpy())


def agree(ours: Floats, seen: Floats, *, reduced: bool = False) -> bool:
    """Whether answers (B, C) are the same to rounding error, relative to their spread."""
    if ours.shape != seen.shape or not np.isfinite(seen).all() or not np.isfinite(ours).all():
        return False
    spread = float(np.abs(ours).max()) or 1.0
    return float(np.abs(ours - seen).max()) <= (SAME_REDUCED if reduced else SAME) * spread


def identify(
    shapes: Shapes,
    samples: Sequence[Sample],
    mask: tuple[float, ...] | None = None,
    *,
    reduced: bool = False,
) -> Chain | None:
    """The chain whose answers are those of the `samples`; None where no chain is."""
    try:
        hidden = len(layers_of(shapes)) - 1
    except NoChain:
        return None
    if not samples:
        return None
    for chain in _candidates(shapes, hidden, mask):
        if all(_fits(chain, s, reduced=reduced) for s in samples):
            return chain
    return None


def _candidates(shapes: Shapes, hidden: int, mask: tuple[float, ...] | None) -> Iterator[Chain]:
    """Likelier chains first: one activation everywhere, then any of each; heads last."""
    names = list(ACTIVATIONS)
    alike = [(name,) * hidden for name in names] if hidden else [()]
    mixed = [c for c in product(names, repeat=hidden) if len(set(c)) > 1] if hidden == 2 else []
    for head in HEADS:
        for activations in (*alike, *(mixed if head == "none" else ())):
            yield Chain(shapes, tuple(activations), head, mask)


def _fits(chain: Chain, sample: Sample, *, reduced: bool) -> bool:
    try:
        ours = chain.answers(sample.state, sample.offset, sample.inputs, training=sample.training)
    except NoChain:
        return False
    return agree(ours, sample.answers, reduced=reduced)
