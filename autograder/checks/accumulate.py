"""Checks of `clip_gradients` and `accumulate_step`: gradients shrunk, and gradients added up.

Clipping is asked directly: gradients in, gradients out, for limits above and below their norm.
The accumulation is a walk like that of `train_amp_step`: three calls with groups of three, two
and three batches, so that a number of batches fixed in the code shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, ProbeRequest, Status
from . import amp_paths as ap
from .amp import LOSS_TOLERANCE, REDUCED_LOSS_TOLERANCE
from .base import Context, Inconclusive, StandardCheck, field_of, require, tensor_of
from .paths import CLIP_EPS, Found, losses_at, nearest
from .walks import Walk, read_walk, said, unseen, weights_of, why_still, wrong_objective

SHAPES = ((4, 3), (5,), (2, 2), (3,))
"""Of the parameters that `clip_gradients` is tried on; the last has no gradient."""
WITH_GRADIENT = 3
EXACT = 1e-4


def _gradients(ctx: Context) -> tuple[list[NDArray[np.float32]], float]:
    """Secret gradients, one much longer than the others, and their norm together."""
    rng = ctx.rng("clip")
    sizes = (3.0, 0.5, 0.2)
    made = [
        (rng.normal(0, 1, shape) * size).astype(np.float32)
        for shape, size in zip(SHAPES[:WITH_GRADIENT], sizes, strict=True)
    ]
    return made, float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in made)))


def _limits(norm: float) -> list[float]:
    """Below the norm, above it, and far below it."""
    return [round(norm * f, 4) for f in (0.4, 1.7, 0.01)]


def _clip_request(ctx: Context) -> Mapping[str, ProbeRequest]:
    made, norm = _gradients(ctx)
    tensors = {f"p{i}": np.ones(shape, dtype=np.float32) for i, shape in enumerate(SHAPES)}
    tensors |= {f"g{i}": g for i, g in enumerate(made)}
    args = {"limits": _limits(norm), "parameters": len(SHAPES)}
    return {"main": ProbeRequest("amp:clip", args, tensors)}


def _why_not(
    got: list[NDArray[np.generic]], given: list[NDArray[np.float32]], limit: float, norm: float
) -> Outcome | None:
    """What is wrong with gradients `got` that were `given`, or None."""
    right = min(1.0, limit / (norm + CLIP_EPS))
    ratios = [float(np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(got, given, strict=True)]
    same_way = all(
        np.allclose(a, b * r, rtol=EXACT, atol=1e-6 * limit)
        for a, b, r in zip(got, given, ratios, strict=True)
    )
    if same_way and all(abs(r / right - 1) < EXACT for r in ratios):
        return None
    seen = f"gradients of norm {norm:.4g} under a limit of {limit:.4g}"
    if same_way and right < 1 and all(abs(r - 1) < EXACT for r in ratios):
        return Outcome.failed(f"{seen} were left as they are", "clip_no_effect")
    after = float(np.sqrt(sum((np.asarray(g, dtype=np.float64) ** 2).sum() for g in got)))
    why = "the parameters' gradients were shrunk each by its own factor"
    if not same_way:
        why = "their direction changed, as where each entry is cut off by itself"
    elif max(ratios) - min(ratios) < EXACT * max(ratios):
        why = f"all were multiplied by {ratios[0]:.4g}, where {right:.4g} is right"
    return Outcome.failed(f"{seen} came out with norm {after:.4g}: {why}", "wrong_value")


def judge_clip_values(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """All gradients are multiplied by one factor, so that their norm together fits the limit."""
    done = require(evidence["main"])
    given, norm = _gradients(ctx)
    for at, limit in enumerate(_limits(norm)):
        got = [tensor_of(done, f"{at}_g{i}", g.shape) for i, g in enumerate(given)]
        if not all(np.isfinite(g).all() for g in got):
            return Outcome.failed("a gradient became nan or infinite", "wrong_value")
        if wrong := _why_not(got, given, limit, norm):
            return wrong
    return Outcome.passed()


def judge_clip_norm(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The number returned is the norm before the clipping."""
    done = require(evidence["main"])
    _, norm = _gradients(ctx)
    for told, limit in zip(field_of(done, "returned", list), _limits(norm), strict=False):
        value = told.get("value") if isinstance(told, dict) else None
        if not isinstance(value, (int, float)):
            kind = str(told.get("kind"))[:80] if isinstance(told, dict) else "nothing"
            return Outcome.failed(f"clip_gradients returned {kind}, not a number", "wrong_value")
        if abs(value / norm - 1) > EXACT:
            return Outcome.failed(
                f"for gradients of norm {norm:.4g} and a limit of {limit:.4g} it returned "
                f"{value:.4g}",
                "wrong_value",
            )
    return Outcome.passed()


def _stage(ctx: Context) -> ap.Stage:
    return ap.stage(int(ctx.rng("accumulate", shared=True).integers(2**62)), ap.BRIGHT_GROUPS)


@lru_cache(maxsize=16)
def _request(at: ap.Stage, seed: int) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args = {
        "batch": at.scene.batch,
        "lr": at.scene.lr,
        "max_norm": at.max_norm,
        "smoothing": at.scene.smoothing,
        "seed": seed,
        "groups": list(ap.GROUPS),
    }
    return ProbeRequest("amp:groups", args, at.scene.tensors())


def _groups(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": _request(_stage(ctx), ctx.seed)}


def _walk(ctx: Context, evidence: Evidence) -> Walk[ap.GroupRecipe]:
    """The walk, which must have come to its end."""
    done, at = require(evidence), _stage(ctx)
    seen = weights_of(done, "weights", len(ap.GROUPS), at.scene.start)
    walk: Walk[ap.GroupRecipe] = read_walk(done.data, seen, len(ap.GROUPS))
    if walk.raised:
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), f"your code raised {walk.raised}"))
    if not np.isfinite(seen).all():
        raise Inconclusive(Outcome.failed("the weights became nan or infinite"))
    found: Found[ap.GroupRecipe] = nearest(
        ap.correct_groups(at), lambda: ap.known_groups(at), seen, reduced=walk.reduced
    )
    return replace(walk, found=found)


_SAID = {
    "missing_zero_grad": "and end where gradients are kept from one call to the next",
    "zero_grad_after_backward": "and end where gradients are cleared between the batches of a "
    "group, so that only the last one counts",
    "clip_no_effect": "and end where gradients are not clipped before the step",
}


def judge_scaled(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The gradients of a group are averaged, not summed."""
    walk = _walk(ctx, evidence["main"])
    if walk.recipe is not None and "accumulation_not_scaled" in walk.recipe.bugs:
        return Outcome.failed(
            f"with groups of {', '.join(map(str, ap.GROUPS))} batches {said(walk)}, and end where "
            f"the losses of a group are added and not averaged",
            "accumulation_not_scaled",
        )
    if walk.recipe is not None and walk.recipe.step != "once":
        return Outcome.not_checked("not checked: a step is taken for every batch of a group")
    return unseen(walk) or Outcome.passed()


def judge_group_step(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """One clipped step a group, from cleared gradients, that minimises the loss given."""
    walk = _walk(ctx, evidence["main"])
    if walk.still:
        return why_still(walk)
    if walk.recipe is None:
        return Outcome.failed(f"{said(walk)}; no known mistake leads there")
    named = [b for b in _SAID if b in walk.recipe.bugs]
    if named:
        return Outcome.failed("; ".join([said(walk), *(_SAID[b] for b in named)]), *named)
    if wrong := wrong_objective(walk, "a step"):
        return wrong
    if walk.recipe.step != "once":
        return Outcome.failed(
            f"{said(walk)}, and end where a step is taken for every batch of a group",
            "wrong_value",
        )
    if walk.recipe.clip != "right":
        return Outcome.failed(
            f"{said(walk)}, and end where the gradients are clipped after every batch of a group, "
            f"not once before the step",
            "wrong_value",
        )
    return Outcome.passed()


def judge_group_loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The number returned is the mean loss over the group."""
    walk, at = _walk(ctx, evidence["main"]), _stage(ctx)
    first = 0
    for call, size in enumerate(ap.GROUPS):
        right = losses_at(at.scene, walk.seen[[call] * size], first=first).mean()
        first += size
        value = walk.returned[call]
        tolerance = REDUCED_LOSS_TOLERANCE if walk.reduced else LOSS_TOLERANCE
        if value is None or not abs(value / right - 1) <= tolerance:
            got = "no number" if value is None else f"{value:.4g}"
            return Outcome.failed(
                f"call {call + 1} returned {got}; the mean loss of its {size} batches is "
                f"{right:.4g}",
                "wrong_value",
            )
    return Outcome.passed()


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "clip_values",
        _clip_request,
        judge_clip_values,
        "All gradients together are one long vector. Clipping by norm keeps its direction and "
        "shortens it, and leaves it alone where it is short enough.",
        ("missing_name", "clip_no_effect", "wrong_value"),
    ),
    StandardCheck(
        "clip_norm",
        _clip_request,
        judge_clip_norm,
        "The norm before clipping is what one wants to plot: it shows how often the limit bites.",
        ("wrong_value",),
    ),
    StandardCheck(
        "accumulate_scaled",
        _groups,
        judge_scaled,
        "Several small batches stand for a large one. The mean over the large one is the mean of "
        "the small ones' means.",
        ("missing_name", "accumulation_not_scaled"),
    ),
    StandardCheck(
        "accumulate_step",
        _groups,
        judge_group_step,
        "Gradients are cleared once, added up over the batches, clipped once, and used once.",
        (
            "missing_zero_grad",
            "zero_grad_after_backward",
            "missing_backward",
            "missing_step",
            "clip_no_effect",
            "sum_instead_of_mean",
            "softmax_before_cross_entropy",
            "softmax_into_nll",
            "step_before_backward",
            "wrong_value",
        ),
    ),
    StandardCheck(
        "accumulate_loss",
        _groups,
        judge_group_loss,
        "What is returned describes the group as a whole: the mean over its batches.",
        ("wrong_value",),
    ),
)
