"""Paths of weights: the correct one, those of known mistakes, and the nearest to a student's.

Theory. As in `replay`, a function that trains is a deterministic map on secret weights and
batches, and each known mistake leads elsewhere. Here a path is kept after *every* call, so
that a run which an error ended half-way can still be read up to there, and so that a path
which fits no known mistake can be told by the call at which it leaves, and by how: an update
that points the right way but has another length is a matter of scale, one that points another
way is a matter of the gradient itself.

`Walker` is a small network in float64 whose gradients are added, scaled, clipped and used by
hand, one beat at a time, in whatever order a recipe asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .replay import Floats, Scene, forward, objective

TOLERANCE = 3e-4
REDUCED_TOLERANCE = 0.05
"""Relative to the length of the correct path; the second where logits came in 16 bits."""

STILL = 1e-6
"""A path shorter than this, relative to the correct one, is none."""

CLIP_EPS = 1e-6
"""What torch adds to the norm before it divides by it."""


class Recipe(Protocol):
    """What a path was made by."""

    @property
    def bugs(self) -> tuple[str, ...]:
        """The ids of the mistakes in it; empty for the correct one."""
        ...

    @property
    def faults(self) -> int:
        """How many parts of it depart from the correct one."""
        ...


R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True)
class Path(Generic[R]):
    """What a recipe does: weights (calls + 1, P), float64."""

    recipe: R
    weights: Floats


@dataclass(frozen=True)
class Found(Generic[R]):
    """What a student's path says. `recipe` is None where no known mistake leads there.

    `distance` is that to the nearest known path, `moved` the length of the student's own,
    both over the length of the correct one; `follows` how many of `calls` calls agree with
    the correct path; `turn` and `stretch` compare the first update that does not: the cosine
    of the angle between the two, and the ratio of their lengths.
    """

    recipe: R | None
    distance: float
    moved: float
    follows: int
    calls: int
    turn: float
    stretch: float

    @property
    def still(self) -> bool:
        """The weights did not move at all."""
        return self.moved < STILL

    @property
    def departure(self) -> str:
        """Where the student's path leaves the correct one, and how, in words."""
        at = f"the weights leave the correct path at call {self.follows + 1} of {self.calls}"
        if not np.isfinite(self.stretch):
            return f"{at}, where they become nan or infinite"
        if self.stretch < STILL:
            return f"{at}, which does not move them"
        if self.turn > 0.999:
            return (
                f"{at}: its update points the right way, but is {self.stretch:.3g} times as long "
                f"(a matter of scaling, clipping or the step)"
            )
        return (
            f"{at}: its update points another way (a matter of what the backward pass started "
            f"from, or of what was left in the gradients)"
        )


def _ratio(a: Any, b: Any) -> float:
    """The quotient of two numbers, the second of which is not negative and may be 0."""
    return float(a) / max(float(b), 1e-300)


def nearest(
    correct: Path[R],
    others: Callable[[], Sequence[Path[R]]],
    seen: NDArray[np.generic],
    *,
    reduced: bool = False,
) -> Found[R]:
    """Name the path that ends where `seen[-1]` does, after as many calls; seen is (K + 1, P).

    The correct path wins where it is near enough; `others` is asked only where it is not.
    """
    path = np.asarray(seen, dtype=np.float64)
    calls = len(path) - 1
    right = correct.weights[: calls + 1]
    length = float(np.linalg.norm(np.diff(right, axis=0), axis=1).sum()) or 1.0
    within = (REDUCED_TOLERANCE if reduced else TOLERANCE) * length
    apart = np.linalg.norm(path - right, axis=1)
    off = ~(apart <= within)  # nan is off
    follows = int(off.argmax()) - 1 if off.any() else calls
    turn, stretch = 1.0, 1.0
    if follows < calls:
        mine, theirs = (p[follows + 1] - p[follows] for p in (path, right))
        stretch = _ratio(np.linalg.norm(mine), np.linalg.norm(theirs))
        turn = _ratio(mine @ theirs, np.linalg.norm(mine) * np.linalg.norm(theirs))
    moved = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) / length
    best, distance = correct.recipe, float(apart[-1])
    if not distance <= within and moved >= STILL:
        known = others()
        gaps = np.array([np.linalg.norm(p.weights[calls] - path[-1]) for p in known])
        gaps[~np.isfinite(gaps)] = np.inf
        # Where mistakes end at the same place, the simplest account of it.
        tied = np.flatnonzero(gaps <= gaps.min() + TOLERANCE * length).tolist()
        at = min(tied, key=lambda i: (known[i].recipe.faults, gaps[i]))
        best, distance = known[at].recipe, float(gaps[at])
    named = best if distance <= within else None
    return Found(named, distance / length, moved, follows, calls, turn, stretch)


class Walker:
    """The watched network of `inside/probes/nets.py` in training mode, one beat at a time."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.weights = [
            torch.from_numpy(w.astype(np.float64)).requires_grad_() for w in scene.weights
        ]
        self.held: list[Tensor] | None = None
        """The gradients as `.grad` would hold them; None where they were cleared."""
        self._mask = torch.from_numpy(scene.mask.astype(np.float64))
        self._images = torch.from_numpy(scene.images.astype(np.float64))
        self._labels = torch.from_numpy(scene.labels)

    def place(self, flat: NDArray[np.generic]) -> None:
        """Put the weights where a vector says."""
        parts = np.split(np.asarray(flat, dtype=np.float64), [self.scene.weights[0].size])
        self.weights = [
            torch.from_numpy(part.reshape(w.shape).copy()).requires_grad_()
            for part, w in zip(parts, self.scene.weights, strict=True)
        ]

    def batch(self, k: int) -> tuple[Tensor, Tensor]:
        """Batch `k` of the scene: images (B, 1, 28, 28), labels (B,)."""
        part = slice(k * self.scene.batch, (k + 1) * self.scene.batch)
        return self._images[part], self._labels[part]

    def loss(self, k: int, name: str = "given", *, training: bool = True) -> Tensor:
        """The objective `name` of batch `k` at the present weights."""
        images, labels = self.batch(k)
        logits = forward(self.weights, self._mask, images, training=training)
        return objective(name, logits, labels, self.scene.smoothing)

    def backward(self, loss: Tensor, times: float = 1.0) -> None:
        """Add `times` the gradient of `loss` to what is held."""
        fresh = torch.autograd.grad(loss * times, self.weights)
        before = self.held or [torch.zeros_like(g) for g in fresh]
        self.held = [h + g for h, g in zip(before, fresh, strict=True)]

    def zero(self) -> None:
        """Clear what is held."""
        self.held = None

    def norm(self) -> float:
        """The Euclidean norm of all that is held."""
        held = self.held or []
        return float(torch.sqrt(sum(((g**2).sum() for g in held), torch.zeros(()).double())))

    def multiply(self, by: float) -> None:
        """Scale what is held."""
        if self.held is not None:
            self.held = [g * by for g in self.held]

    def clip(self, max_norm: float) -> None:
        """Shrink what is held to `max_norm`, where it is longer."""
        self.multiply(min(1.0, max_norm / (self.norm() + CLIP_EPS)))

    def step(self, lr: float) -> None:
        """Move against what is held, as SGD without momentum does."""
        if self.held is None:
            return
        with torch.no_grad():
            for w, g in zip(self.weights, self.held, strict=True):
                w -= lr * g

    def vector(self) -> Floats:
        """The weights as one vector, w1 before w2."""
        flat: Any = torch.cat([w.detach().reshape(-1) for w in self.weights]).numpy()
        return np.array(flat)


def losses_at(
    scene: Scene, seen: NDArray[np.generic], name: str = "given", first: int = 0
) -> Floats:
    """The objective `name` of batch `first + k` at the weights `seen[k]`, as far as both go."""
    walker = Walker(scene)
    found = []
    for k, flat in enumerate(seen[: len(scene.sizes) - first], start=first):
        walker.place(flat)
        found.append(float(walker.loss(k, name).detach()))
    return np.array(found)
