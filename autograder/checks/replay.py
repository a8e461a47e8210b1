"""Reference and known-bug trajectories of a training loop, computed outside the box.

Theory. On secret weights and batches a loop is a deterministic map from the first weights to
the last. The correct loop and each loop with a known bug give different last weights, at
least a tenth of the update's length apart, while float32 against the float64 used here
differs by less than a millionth. So the trajectory nearest to the student's, within a
tolerance in between, says which loop they wrote, in whatever style they wrote it.

A loop is described by a `Recipe` with four independent parts (objective, order of the
beats, mode, clipping), so that pairs of bugs are found as well as single ones. The network
is that of `inside/probes/nets.py`; the update is SGD's, v <- mu v + g, w <- w - lr v.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..errors import GraderError

Floats = NDArray[np.float64]

TOLERANCE = 1e-3
REDUCED_TOLERANCE = 0.05
"""Relative to the length of the correct update; the second where logits came in 16 bits."""

OBJECTIVES: dict[str, tuple[str, ...]] = {
    "given": (),
    "softmax": ("softmax_before_cross_entropy",),
    "softmax_nll": ("softmax_into_nll",),
    "sum": ("sum_instead_of_mean",),
    "unsmoothed": ("wrong_value",),
    "raw_nll": ("wrong_value",),
    "mse": ("wrong_value",),
}
"""What is differentiated, and the bugs it stands for."""

BEATS: dict[str, tuple[str, ...]] = {
    "correct": (),
    "no_zero": ("missing_zero_grad",),
    "stale_zeroed": ("step_before_backward",),
    "stale_kept": ("step_before_backward", "missing_zero_grad"),
    "last_only": ("missing_step",),
    "all_at_once": ("missing_step", "missing_zero_grad"),
    "first_only": (),
    "late_kept": ("step_before_backward", "missing_zero_grad"),
    "ragged_skipped": (),
}
"""The order of the beats. `stale_*` step between a batch's gradient and its assignment, with
the gradients zeroed after the step or never; `late_kept` steps before the forward pass and
never zeroes (with zeroing, that ends where `ragged_skipped` ends); `last_only` and
`all_at_once` step once, after the loop; `first_only` returns after one batch;
`ragged_skipped` leaves out the short last batch."""

_KEPT = ("no_zero", "stale_kept", "late_kept", "all_at_once")

NEVER = "never"
"""The name, in the place of one of `BEATS`, of a loop that moves nothing."""

STILL = 1e-6
"""An update shorter than this, relative to the correct one, is none."""

CLIPS = (None, 1.0, 0.5, 0.25, 0.1)


@dataclass(frozen=True)
class Recipe:
    """One loop: what is differentiated, in which order, in which mode, with which clipping."""

    objective: str = "given"
    beats: str = "correct"
    training: bool = True
    clip: float | None = None
    momentum: bool = True
    lapses: bool = False
    """In training mode in the first epoch only."""

    @property
    def bugs(self) -> tuple[str, ...]:
        mode = () if self.training and not self.lapses else ("missing_train_mode",)
        return OBJECTIVES[self.objective] + BEATS[self.beats] + mode

    @property
    def faults(self) -> int:
        """How many parts depart from the correct loop."""
        return (
            (self.objective != "given")
            + (self.beats != "correct")
            + (not self.training or self.lapses)
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """The secret inputs of one replay; compared by identity, so build each one once.

    weights: w1 (H, 784), w2 (10, H); mask (H,); images (N, 1, 28, 28);
    labels (N,). `batch` does not divide N.
    """

    weights: tuple[NDArray[np.float32], ...]
    mask: NDArray[np.float32]
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    batch: int
    lr: float
    momentum: float
    smoothing: float

    @property
    def sizes(self) -> list[int]:
        """Samples in each batch."""
        n = len(self.labels)
        return [min(self.batch, n - i) for i in range(0, n, self.batch)]

    @property
    def start(self) -> Floats:
        """The first weights as one vector."""
        return np.concatenate([w.reshape(-1) for w in self.weights]).astype(np.float64)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """The inputs as a probe takes them."""
        w1, w2 = self.weights
        return {
            "w1": w1,
            "w2": w2,
            "mask": self.mask,
            "images": self.images,
            "labels": self.labels,
        }


def make_scene(
    rng: np.random.Generator,
    *,
    samples: int = 51,
    batch: int = 8,
    hidden: int = 12,
    lr: float = 8.0,
    momentum: float = 0.0,
    smoothing: float = 0.0,
) -> Scene:
    """A scene with small gradients, and a short last batch of high loss.

    Faint images into large first weights, and no biases, keep every correct gradient's norm
    below 0.5 while the logits spread over several units, so that clipping at the usual 1.0
    is invisible; the last batch carries the labels the net believes in
    least, so that a mean of batch means differs from the mean over samples.
    """
    for _ in range(200):
        scene = _draw(rng, samples, batch, hidden, lr, momentum, smoothing)
        if _suits(scene):
            return scene
    raise GraderError("no suitable secret scene was found", remedy="change the assignment's seed")


def _draw(
    rng: np.random.Generator,
    samples: int,
    batch: int,
    hidden: int,
    lr: float,
    momentum: float,
    smoothing: float,
) -> Scene:
    w1 = rng.normal(0, 2.0, (hidden, 784))
    w2 = rng.normal(0, 0.8, (10, hidden))
    mask = np.where(rng.permutation(hidden) < hidden // 3, 0.0, 1.5)
    images = rng.random((samples, 1, 28, 28)) * (rng.random((samples, 1, 28, 28)) < 0.2) * 0.02
    labels = rng.integers(0, 10, samples)
    short = samples % batch
    logits = forward(
        _double(w1, w2), torch.from_numpy(mask), torch.from_numpy(images), training=True
    )
    labels[-short:] = logits.argsort(1)[-short:, 0].numpy()
    return Scene(
        (w1.astype(np.float32), w2.astype(np.float32)),
        mask.astype(np.float32),
        images.astype(np.float32),
        labels.astype(np.int64),
        batch,
        lr,
        momentum,
        smoothing,
    )


def _suits(scene: Scene) -> bool:
    """Whether gradients are small and the ways to average the losses differ by 1.5 %."""
    plain = simulate(scene, Recipe(momentum=False))
    norms = np.linalg.norm(np.diff(plain.weights, axis=0), axis=1) / scene.lr
    mean = float(np.average(plain.losses, weights=scene.sizes))
    return bool(norms.max() < 0.5 and abs(plain.losses.mean() / mean - 1) > 0.015)


def _double(*arrays: NDArray[np.generic]) -> list[Tensor]:
    return [torch.from_numpy(np.array(a, dtype=np.float64)) for a in arrays]


def forward(weights: list[Tensor], mask: Tensor, images: Tensor, *, training: bool) -> Tensor:
    """Logits (B, 10) of the watched network."""
    w1, w2 = weights
    h = images.reshape(len(images), -1) @ w1.T
    return F.relu(h * mask if training else h) @ w2.T


def objective(name: str, logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """The scalar that a loop differentiates, by the name in `OBJECTIVES`."""
    match name:
        case "given":
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        case "softmax":
            return F.cross_entropy(logits.softmax(1), labels, label_smoothing=smoothing)
        case "softmax_nll":
            return F.nll_loss(logits.softmax(1), labels)
        case "sum":
            return F.cross_entropy(logits, labels, label_smoothing=smoothing) * len(labels)
        case "unsmoothed":
            return F.cross_entropy(logits, labels)
        case "raw_nll":
            return F.nll_loss(logits, labels)
        case _:
            return F.mse_loss(logits, F.one_hot(labels, logits.shape[1]).to(logits.dtype))


@dataclass(frozen=True)
class Trajectory:
    """What a recipe does to a scene: weights (steps + 1, P), the loss of each batch."""

    recipe: Recipe
    weights: Floats
    losses: Floats

    @property
    def last(self) -> Floats:
        return np.asarray(self.weights[-1])


@lru_cache(maxsize=128)
def simulate(scene: Scene, recipe: Recipe, epochs: int = 1) -> Trajectory:
    """Run the recipe's loop in float64. `weights[k]` are those after batch k."""
    weights = [w.requires_grad_() for w in _double(*scene.weights)]
    mask = torch.from_numpy(scene.mask.astype(np.float64))
    images = torch.from_numpy(scene.images.astype(np.float64))
    labels = torch.from_numpy(scene.labels)
    momentum = scene.momentum if recipe.momentum else 0.0
    velocity: list[Tensor | None] = [None] * len(weights)
    held: list[Tensor] | None = None
    seen, losses = [scene.start], []

    def step() -> None:
        """One update from the held gradients; none where there are none."""
        if held is None:
            return
        norm = float(torch.sqrt(sum(((g**2).sum() for g in held), torch.zeros(()))))
        scale = 1.0 if recipe.clip is None else min(1.0, recipe.clip / (norm + 1e-6))
        with torch.no_grad():
            for i, (w, g) in enumerate(zip(weights, held, strict=True)):
                v = velocity[i]
                v = g * scale if v is None else momentum * v + g * scale
                velocity[i] = v
                w -= scene.lr * v

    for epoch in range(epochs):
        training = recipe.training and not (recipe.lapses and epoch > 0)
        for first in range(0, len(labels), scene.batch):
            x, y = images[first : first + scene.batch], labels[first : first + scene.batch]
            if recipe.beats == "ragged_skipped" and len(y) < scene.batch:
                continue
            if recipe.beats == "late_kept":
                step()
            logits = forward(weights, mask, x, training=training)
            loss = objective(recipe.objective, logits, y, scene.smoothing)
            losses.append(float(loss.detach()))
            gradient = list(torch.autograd.grad(loss, weights))
            if recipe.beats.startswith("stale"):
                step()
                if recipe.beats == "stale_zeroed":
                    held = None
            if (
                recipe.beats in ("no_zero", "stale_kept", "late_kept", "all_at_once")
                and held is not None
            ):
                held = [h + g for h, g in zip(held, gradient, strict=True)]
            else:
                held = gradient
            if recipe.beats in ("correct", "no_zero", "first_only", "ragged_skipped"):
                step()
            seen.append(torch.cat([w.detach().reshape(-1) for w in weights]).numpy())
            if recipe.beats == "first_only":
                break
        if recipe.beats in ("last_only", "all_at_once"):
            step()
            seen[-1] = torch.cat([w.detach().reshape(-1) for w in weights]).numpy()
    return Trajectory(recipe, np.stack(seen), np.array(losses))


def losses_along(scene: Scene, snapshots: NDArray[np.generic], *, training: bool) -> Floats:
    """The mean loss of batch k at `snapshots[k]`, for each batch; snapshots is (batches + 1, P)."""
    shapes = [w.shape for w in scene.weights]
    found = []
    for k, first in enumerate(range(0, len(scene.labels), scene.batch)):
        flat, weights = snapshots[k], []
        for shape in shapes:
            count = int(np.prod(shape))
            weights.append(flat[:count].reshape(shape))
            flat = flat[count:]
        x = torch.from_numpy(scene.images[first : first + scene.batch].astype(np.float64))
        y = torch.from_numpy(scene.labels[first : first + scene.batch])
        mask = torch.from_numpy(scene.mask.astype(np.float64))
        logits = forward(_double(*weights), mask, x, training=training)
        found.append(float(objective("given", logits, y, scene.smoothing)))
    return np.array(found)


def recipes(scene: Scene, epochs: int = 1) -> Iterator[Recipe]:
    """Every recipe that this scene can tell from the others, the fewest faults first."""
    objectives = [o for o in OBJECTIVES if o != "unsmoothed" or scene.smoothing]
    found = [Recipe(o, b, t) for o, b, t in product(objectives, BEATS, (True, False))]
    found.sort(key=lambda r: r.faults)
    yield from found
    if epochs > 1:
        yield from (replace(r, lapses=True) for r in found if r.training)
    if scene.momentum:
        yield from (replace(r, momentum=False) for r in found)
    for clip in CLIPS[1:]:
        yield from (replace(r, clip=clip) for r in found if r.faults < 2)


@dataclass(frozen=True)
class Match:
    """What the final weights say. `recipe` is None where no known loop ends there.

    `distance` is that of the nearest known loop, over the length of the correct update;
    `moved` the length of the student's own update on that scale; `follows` how many of the
    correct loop's steps were seen in the snapshots before the first that was not.
    """

    recipe: Recipe | None
    distance: float
    moved: float
    follows: int

    @property
    def still(self) -> bool:
        """The weights did not move at all."""
        return self.moved < STILL


@lru_cache(maxsize=32)
def _ends(scene: Scene, epochs: int) -> tuple[tuple[Recipe, ...], NDArray[np.float32]]:
    """Every recipe with its last weights, (recipes, P); float32 is exact enough to compare."""
    known = tuple(recipes(scene, epochs))
    run = simulate.__wrapped__  # their whole paths are not worth keeping
    return known, np.stack([run(scene, r, epochs).last.astype(np.float32) for r in known])


def match(
    scene: Scene, snapshots: NDArray[np.generic], reduced: bool = False, epochs: int = 1
) -> Match:
    """Name the loop that led to `snapshots[-1]`; snapshots is (K, P), finite."""
    tolerance = REDUCED_TOLERANCE if reduced else TOLERANCE
    correct = simulate(scene, Recipe(), epochs)
    length = float(np.linalg.norm(correct.last - scene.start))
    seen = np.asarray(snapshots, dtype=np.float64)
    moved = float(np.linalg.norm(seen[-1] - scene.start)) / length
    follows = _follows(correct, seen, tolerance * length)
    best, distance = Recipe(), float(np.linalg.norm(seen[-1] - correct.last)) / length
    if distance > tolerance and moved >= STILL:
        known, ends = _ends(scene, epochs)
        off = np.linalg.norm(ends - seen[-1].astype(np.float32), axis=1) / length
        nearest = int(off.argmin())
        best, distance = known[nearest], float(off[nearest])
    return Match(best if distance <= tolerance else None, distance, moved, follows)


def _follows(correct: Trajectory, seen: Floats, within: float) -> int:
    """How many steps of the correct loop appear, in order, among the snapshots."""
    for k, weights in enumerate(correct.weights[1:]):
        if np.linalg.norm(seen - weights, axis=1).min() > within:
            return k
    return len(correct.weights) - 1
