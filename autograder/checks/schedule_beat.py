"""Checks of `train_epoch`: where in the loop the schedule moves.

Theory. The secret schedule's factors are all different and in no order, so a loop that moves
it too early, too often, too seldom or never takes its steps at other rates, and ends with
other weights. The mistakes of the five beats are part of the same recipes, so that two at once
are told apart. The rates seen at each step make the messages concrete; points rest on the
weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from ..model import Evidence, Outcome, ProbeRequest
from . import amp_paths as ap
from .base import Context, StandardCheck, field_of, require, tensor_of
from .paths import Found, Path, Walker, nearest
from .reading import REDUCED
from .replay import OBJECTIVES, Scene
from .walks import Walk, said, unseen, why_still, wrong_objective

EPOCHS, BATCHES = 3, 4
SCENES = {"epoch": False, "batch": True}
"""The two runs, and `per_batch` of each."""
EXACT = 1e-5

_ZERO = {"first": (), "missing": ("missing_zero_grad",)}
_STEP = {"last": (), "stale": ("step_before_backward",)}
CADENCES = {
    "right": "",
    "other": "at the other's pace",
    "never": "never",
    "early": "before the step and not after it",
    "early_other": "before the step, and at the other's pace",
    "both": "after every batch and after every epoch too",
}
"""When the schedule moves, and how that is told."""


@dataclass(frozen=True)
class EpochRecipe:
    """One way to write `train_epoch`."""

    objective: str = "given"
    zero: str = "first"
    step: str = "last"
    cadence: str = "right"

    @property
    def bugs(self) -> tuple[str, ...]:
        order = () if self.cadence == "right" else ("scheduler_order",)
        return OBJECTIVES[self.objective] + _ZERO[self.zero] + _STEP[self.step] + order

    @property
    def faults(self) -> int:
        right = EpochRecipe()
        parts = ("objective", "zero", "step", "cadence")
        return sum(getattr(self, p) != getattr(right, p) for p in parts)


@dataclass(frozen=True, eq=False)
class Timed:
    """A scene, the schedule's factors, and whether the schedule counts batches."""

    scene: Scene
    factors: tuple[float, ...]
    per_batch: bool

    def rates(self, cadence: str) -> list[float]:
        """The learning rate of every batch of all epochs."""
        found = []
        for epoch in range(EPOCHS):
            for k in range(BATCHES):
                batches = epoch * BATCHES + k
                mine, other = (batches, epoch) if self.per_batch else (epoch, batches)
                moves = {
                    "right": mine,
                    "other": other,
                    "never": 0,
                    "early": mine + 1,
                    "early_other": other + 1,
                    "both": batches + epoch,
                }[cadence]
                found.append(self.scene.lr * self.factors[moves])
        return found


@lru_cache(maxsize=16)
def _timed(seed: int, per_batch: bool) -> Timed:
    rng = np.random.default_rng(seed)
    factors = rng.permutation(np.linspace(0.15, 1.6, EPOCHS * (BATCHES + 1) + 1)).round(4)
    stage = ap.stage(int(rng.integers(2**62)), ap.BRIGHT[:BATCHES])
    return Timed(stage.scene, tuple(factors.tolist()), per_batch)


def _scene(ctx: Context, name: str) -> Timed:
    seed = int(ctx.rng(f"schedule/{name}", shared=True).integers(2**62))
    return _timed(seed, SCENES[name])


def walk(at: Timed, recipe: EpochRecipe) -> Path[EpochRecipe]:
    """The weights after each epoch of a loop so written."""
    walker = Walker(at.scene)
    seen = [walker.vector()]
    rates = at.rates(recipe.cadence)
    for epoch in range(EPOCHS):
        for k in range(BATCHES):
            rate = rates[epoch * BATCHES + k]
            if recipe.step == "stale":
                walker.step(rate)
            if recipe.zero == "first":
                walker.zero()
            walker.backward(walker.loss(k, recipe.objective))
            if recipe.step == "last":
                walker.step(rate)
        seen.append(walker.vector())
    return Path(recipe, np.stack(seen))


@lru_cache(maxsize=8)
def correct(at: Timed) -> Path[EpochRecipe]:
    """The path of the correct loop."""
    return walk(at, EpochRecipe())


@lru_cache(maxsize=8)
def known(at: Timed) -> tuple[Path[EpochRecipe], ...]:
    """The path of every known mistake, and of every two."""
    objectives = [o for o in OBJECTIVES if o != "raw_nll"]
    found = [EpochRecipe(*parts) for parts in product(objectives, _ZERO, _STEP, CADENCES)]
    few = sorted((r for r in found if 0 < r.faults <= ap.FAULTS), key=lambda r: r.faults)
    return tuple(walk(at, r) for r in few)


@lru_cache(maxsize=16)
def _request(at: Timed, seed: int) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args = {
        "per_batch": at.per_batch,
        "factors": list(at.factors),
        "batch": at.scene.batch,
        "lr": at.scene.lr,
        "smoothing": at.scene.smoothing,
        "epochs": EPOCHS,
        "seed": seed,
    }
    return ProbeRequest("schedules:epochs", args, at.scene.tensors())


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {name: _request(_scene(ctx, name), ctx.seed) for name in SCENES}


def _walk(ctx: Context, evidence: Evidence, name: str) -> Walk[EpochRecipe]:
    done, at = require(evidence), _scene(ctx, name)
    seen = tensor_of(done, "weights", (EPOCHS + 1, len(at.scene.start)))
    forwards = [f for f in field_of(done, "forwards", list) if isinstance(f, dict)]
    reduced = any(str(f.get("dtype")) in REDUCED for f in forwards)
    found: Found[EpochRecipe] | None = None
    if np.isfinite(seen).all():
        found = nearest(correct(at), lambda: known(at), seen, reduced=reduced)
    return Walk(
        found=found,
        seen=seen,
        beats=field_of(done, "beats", str),
        returned=(None,) * EPOCHS,
        left=(),
        scales=(),
        raised="",
        reduced=reduced,
    )


def _rates(evidence: Evidence) -> list[float]:
    told = field_of(evidence, "rates", list)
    return [float(v) if isinstance(v, (int, float)) else float("nan") for v in told]


def _first_wrong(got: list[float], right: list[float]) -> str:
    """Where a list of rates first differs from another, in words; "" where it does not."""
    for at, want in enumerate(right):
        if at >= len(got) or not abs(got[at] - want) <= EXACT * max(right):
            epoch, batch = divmod(at, BATCHES)
            was = f"was {got[at]:.4g}" if at < len(got) else "is missing"
            return (
                f"the rate of epoch {epoch + 1}, batch {batch + 1} {was}, where {want:.4g} is due"
            )
    return ""


def judge_order(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Every step is taken at the rate that the schedule has for it."""
    for name in SCENES:
        at, seen = _scene(ctx, name), _walk(ctx, evidence[name], name)
        every = "a schedule that counts " + ("batches" if at.per_batch else "epochs")
        observed = _rates(evidence[name])
        wrong = _first_wrong(observed, at.rates("right"))
        if seen.recipe is not None:
            if seen.recipe.cadence == "right":
                continue
            how = CADENCES[seen.recipe.cadence]
            text = f"{every} was moved {how}: {wrong or said(seen)}"
            return Outcome.failed(text, "scheduler_order")
        if not seen.still and observed and wrong:
            return Outcome.failed(f"with {every}, {wrong}", "scheduler_order")
        if hidden := unseen(seen):
            return hidden
    return Outcome.passed()


_SAID = {
    "missing_zero_grad": "and end where every batch's gradients are added to those before",
    "step_before_backward": "and end where each step comes before its batch's backward pass",
}


def judge_beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The five beats are as they were before there was a schedule."""
    for name in SCENES:
        seen = _walk(ctx, evidence[name], name)
        if seen.still:
            return why_still(seen)
        if seen.recipe is None:
            observed = _rates(evidence[name])
            if observed and _first_wrong(observed, _scene(ctx, name).rates("right")):
                return Outcome.not_checked("not checked: the steps were taken at other rates")
            return Outcome.failed(f"{said(seen) or 'the weights became nan or infinite'}")
        named = [b for b in _SAID if b in seen.recipe.bugs]
        if named:
            return Outcome.failed("; ".join([said(seen), *(_SAID[b] for b in named)]), *named)
        if wrong := wrong_objective(seen, "a loop"):
            return wrong
    return Outcome.passed()


def judge_rates(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The list returned holds the rate that each batch's step was taken at."""
    for name in SCENES:
        at, seen = _scene(ctx, name), _walk(ctx, evidence[name], name)
        used = at.rates(seen.recipe.cadence if seen.recipe is not None else "right")
        if seen.recipe is None and len(observed := _rates(evidence[name])) == len(used):
            used = observed
        for epoch, told in enumerate(field_of(evidence[name], "lists", list)[:EPOCHS]):
            if not isinstance(told, list):
                return Outcome.failed("train_epoch did not return a list", "wrong_value")
            values = [v.get("value") if isinstance(v, dict) else None for v in told]
            got = [float(v) if isinstance(v, (int, float)) else float("nan") for v in values]
            due = used[epoch * BATCHES : (epoch + 1) * BATCHES]
            if len(got) != BATCHES:
                return Outcome.failed(
                    f"epoch {epoch + 1} of {BATCHES} batches returned {len(got)} rates",
                    "wrong_value",
                )
            if not np.allclose(got, due, rtol=EXACT, atol=EXACT * max(due)):
                return Outcome.failed(
                    f"epoch {epoch + 1} returned {[round(g, 5) for g in got]}; its steps were "
                    f"taken at {[round(d, 5) for d in due]}",
                    "wrong_value",
                )
    return Outcome.passed()


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "schedule_beats",
        _requests,
        judge_beats,
        "A schedule adds a beat after the five; it changes none of them.",
        (
            "missing_name",
            "missing_zero_grad",
            "zero_grad_after_backward",
            "step_before_backward",
            "missing_backward",
            "missing_step",
            "sum_instead_of_mean",
            "softmax_before_cross_entropy",
            "softmax_into_nll",
            "wrong_value",
        ),
    ),
    StandardCheck(
        "schedule_order",
        _requests,
        judge_order,
        "The schedule prepares the next step's rate, so it moves after the optimizer.",
        ("scheduler_order",),
    ),
    StandardCheck(
        "schedule_rates",
        _requests,
        judge_rates,
        "Read the rate where the step is taken; afterwards it may already be another.",
        ("wrong_value",),
    ),
)
