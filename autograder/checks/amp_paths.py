"""What `train_amp_step` and `accumulate_step` do to secret weights, and what known mistakes do.

Theory. One call is: zero, forward, loss, scale, backward, unscale, clip, step, update. A
mistake is one of these left out or in another place, and each moves the weights elsewhere, if
the scene lets it: some batches have gradients far above the limit and some far below it (so
that clipping matters, and so that what clipping hides shows too), and there are walks under a
disabled scaler, one of scale 1 and one of a large scale (a leftover gradient is divided by the
scale at the next `unscale_`, so the large one hides it; a limit compared with scaled gradients
differs only under the large one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from ..errors import GraderError
from .paths import Path, Walker
from .replay import OBJECTIVES, Scene

LARGE, INTERVAL = 256.0, 2
"""The large scale, and after how many good steps it doubles."""
OVERFLOW_AT = 2
FACTOR = 1e37
"""A loss of order one times this is finite, and infinite once it is scaled by `LARGE`."""
BRIGHT = (1.0, 0.1, 1.0, 0.03, 1.0, 0.02, 0.11, 1.0)
"""How bright the batches are: 1 for gradients above the limit, less for some below it."""
GROUPS = (3, 2, 3)
"""Batches of each call of `accumulate_step`."""
BRIGHT_GROUPS = (1.0, 1.0, 1.0, 0.1, 0.09, 0.03, 0.025, 0.03)
"""The same for these: a group above the limit, and two below it."""
FAULTS = 2
"""Mistakes that are looked for at once."""

_ZERO = {"first": (), "missing": ("missing_zero_grad",)}
_STEP = {"last": (), "stale": ("step_before_backward",)}
_CLIP = {
    "right": (),
    "never": ("clip_no_effect",),
    "early": ("clip_no_effect",),
    "late": ("clip_no_effect",),
    "scaled": ("clip_before_unscale",),
}
_SCALING = {"right": (), "loss_unscaled": ("wrong_value",), "raw_step": ("wrong_value",)}


@dataclass(frozen=True)
class Stage:
    """A scene, and the norm its gradients are clipped to."""

    scene: Scene
    max_norm: float


@dataclass(frozen=True)
class StepRecipe:
    """One way to write `train_amp_step`."""

    objective: str = "given"
    zero: str = "first"
    clip: str = "right"
    step: str = "last"
    scaling: str = "right"

    @property
    def bugs(self) -> tuple[str, ...]:
        return (
            OBJECTIVES[self.objective]
            + _ZERO[self.zero]
            + _STEP[self.step]
            + _CLIP[self.clip]
            + _SCALING[self.scaling]
        )

    @property
    def faults(self) -> int:
        right = StepRecipe()
        parts = ("objective", "zero", "clip", "step", "scaling")
        return sum(getattr(self, p) != getattr(right, p) for p in parts)


@lru_cache(maxsize=16)
def stage(seed: int, bright: tuple[float, ...] = BRIGHT) -> Stage:
    """A secret stage with a batch of eight for each of `bright`; clipping bites where that is 1."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        found = _draw(rng, bright)
        if found is not None:
            return found
    raise GraderError("no suitable secret stage was found", remedy="change the assignment's seed")


def _draw(
    rng: np.random.Generator, bright: tuple[float, ...], batch: int = 8, hidden: int = 12
) -> Stage | None:
    """One try; None where the gradients do not spread as they should."""
    by_image = np.array(bright).repeat(batch)[:, None, None, None]
    shape = (len(bright) * batch, 1, 28, 28)
    scene = Scene(
        (
            rng.normal(0, 2.0, (hidden, 784)).astype(np.float32),
            rng.normal(0, 0.8, (10, hidden)).astype(np.float32),
        ),
        np.where(rng.permutation(hidden) < hidden // 3, 0.0, 1.5).astype(np.float32),
        (rng.random(shape) * (rng.random(shape) < 0.2) * 0.1 * by_image).astype(np.float32),
        rng.integers(0, 10, len(bright) * batch).astype(np.int64),
        batch,
        0.4,
        0.0,
        0.1,
    )
    first = Walker(scene)
    sizes = []
    for k in range(len(bright)):
        first.zero()
        first.backward(first.loss(k))
        sizes.append(first.norm())
    low = max(n for n, b in zip(sizes, bright, strict=True) if b < 1)
    high = min(n for n, b in zip(sizes, bright, strict=True) if b == 1)
    return Stage(scene, float(np.sqrt(low * high))) if high > 4 * low else None


def walk(at: Stage, recipe: StepRecipe, scale: float) -> Path[StepRecipe]:
    """The weights after each call of a step so written, under a scaler that begins at `scale`."""
    scene = at.scene
    walker = Walker(scene)
    seen = [walker.vector()]
    for k in range(len(scene.sizes)):
        if recipe.step == "stale":
            walker.step(scene.lr)
        if recipe.zero == "first":
            walker.zero()
        if recipe.clip == "early":
            walker.clip(at.max_norm)
        loss = walker.loss(k, recipe.objective)
        walker.backward(loss, 1.0 if recipe.scaling == "loss_unscaled" else scale)
        if recipe.clip == "scaled":
            walker.clip(at.max_norm)
        if recipe.scaling != "raw_step":
            walker.multiply(1 / scale)
        if recipe.clip == "right":
            walker.clip(at.max_norm)
        if recipe.step == "last":
            walker.step(scene.lr)
        if recipe.clip == "late":
            walker.clip(at.max_norm)
        if scale != 1 and (k + 1) % INTERVAL == 0:
            scale *= 2
        seen.append(walker.vector())
    return Path(recipe, np.stack(seen))


def scales(calls: int) -> list[float]:
    """What the large scaler's scale is after each call."""
    return [LARGE * 2.0 ** ((k + 1) // INTERVAL) for k in range(calls)]


def _recipes(*, scaled: bool) -> Iterator[StepRecipe]:
    """The recipes with few faults that a walk can tell apart, the fewest first.

    Where the scale is 1, what differs by the scale alone is left out.
    """
    found = [
        StepRecipe(*parts)
        for parts in product(
            [o for o in OBJECTIVES if o != "raw_nll"],
            _ZERO,
            _CLIP if scaled else [c for c in _CLIP if c != "scaled"],
            _STEP,
            _SCALING if scaled else ["right"],
        )
    ]
    few = [r for r in found if 0 < r.faults <= FAULTS]
    return iter(sorted(few, key=lambda r: r.faults))


@lru_cache(maxsize=8)
def known_walks(at: Stage, scale: float) -> tuple[Path[StepRecipe], ...]:
    """The path of every known mistake."""
    return tuple(walk(at, r, scale) for r in _recipes(scaled=scale != 1))


@lru_cache(maxsize=8)
def correct_walk(at: Stage, scale: float) -> Path[StepRecipe]:
    """The path of the correct step."""
    return walk(at, StepRecipe(), scale)


_CLEARED = {
    "first": (),
    "missing": ("missing_zero_grad",),
    "each": ("zero_grad_after_backward",),
}
_SHARE = {"mean": (), "sum": ("accumulation_not_scaled",)}
_CLIPPED = {"right": (), "never": ("clip_no_effect",), "each": ("wrong_value",)}
_MOVES = {"once": (), "each": ("wrong_value",), "shared_each": ("wrong_value",)}


@dataclass(frozen=True)
class GroupRecipe:
    """One way to write `accumulate_step`."""

    objective: str = "given"
    zero: str = "first"
    share: str = "mean"
    clip: str = "right"
    step: str = "once"

    @property
    def bugs(self) -> tuple[str, ...]:
        return (
            OBJECTIVES[self.objective]
            + _CLEARED[self.zero]
            + (_SHARE[self.share] if self.step == "once" else ())
            + _CLIPPED[self.clip]
            + _MOVES[self.step]
        )

    @property
    def faults(self) -> int:
        right = GroupRecipe()
        parts = ("objective", "zero", "share", "clip", "step")
        return sum(getattr(self, p) != getattr(right, p) for p in parts)


def walk_groups(at: Stage, recipe: GroupRecipe) -> Path[GroupRecipe]:
    """The weights after each call of an accumulation so written."""
    scene = at.scene
    walker = Walker(scene)
    seen = [walker.vector()]
    k = 0
    for size in GROUPS:
        if recipe.zero == "first":
            walker.zero()
        for _ in range(size):
            if recipe.zero == "each" or recipe.step == "each":
                walker.zero()
            loss = walker.loss(k, recipe.objective)
            walker.backward(loss, 1 / size if recipe.share == "mean" else 1.0)
            if recipe.clip == "each" or (recipe.clip == "right" and recipe.step != "once"):
                walker.clip(at.max_norm)
            if recipe.step != "once":
                walker.step(scene.lr)
            k += 1
        if recipe.step == "once":
            if recipe.clip == "right":
                walker.clip(at.max_norm)
            walker.step(scene.lr)
        seen.append(walker.vector())
    return Path(recipe, np.stack(seen))


@lru_cache(maxsize=8)
def correct_groups(at: Stage) -> Path[GroupRecipe]:
    """The path of the correct accumulation."""
    return walk_groups(at, GroupRecipe())


@lru_cache(maxsize=8)
def known_groups(at: Stage) -> tuple[Path[GroupRecipe], ...]:
    """The path of every known way to get the accumulation wrong, the fewest faults first."""
    objectives = [o for o in OBJECTIVES if o != "raw_nll"]
    found = [
        GroupRecipe(*parts) for parts in product(objectives, _CLEARED, _SHARE, _CLIPPED, _MOVES)
    ]
    few = sorted((r for r in found if 0 < r.faults <= FAULTS), key=lambda r: r.faults)
    return tuple(walk_groups(at, r) for r in few)
