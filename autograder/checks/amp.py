"""Checks of `train_amp_step` and `accumulate_step`: what the weights say.

All questions about `train_amp_step` are put to the same four walks (see `amp_paths`): `off`,
`one` and `large` by their scaler, and `overflow`. Each answer comes from the walks in which
the thing asked about can be seen; where none can show it, the answer is `not_checked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..model import Evidence, Outcome, ProbeRequest, Status
from . import amp_paths as ap
from .base import Context, Inconclusive, Judge, StandardCheck, field_of, require
from .paths import Found, losses_at, nearest
from .walks import (
    Walk,
    read_walk,
    said,
    stepped_too_early,
    unseen,
    weights_of,
    why_still,
    wrong_objective,
)

CALLS = len(ap.BRIGHT)
LOSS_TOLERANCE, REDUCED_LOSS_TOLERANCE = 1e-3, 0.05
WALKS = {
    "off": {"enabled": False, "scale": 1.0, "interval": 1000, "overflow": -1},
    "one": {"enabled": True, "scale": 1.0, "interval": 1000, "overflow": -1},
    "large": {"enabled": True, "scale": ap.LARGE, "interval": ap.INTERVAL, "overflow": -1},
    "overflow": {"enabled": True, "scale": ap.LARGE, "interval": 1000, "overflow": ap.OVERFLOW_AT},
}
SCALER = {
    "off": "with the scaler disabled",
    "one": "with a scaler of scale 1",
    "large": f"with a scaler of scale {ap.LARGE:g}",
}


def _stage(ctx: Context) -> ap.Stage:
    return ap.stage(int(ctx.rng("amp", shared=True).integers(2**62)))


@lru_cache(maxsize=16)
def _request(at: ap.Stage, seed: int) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args: dict[str, Any] = {
        "batch": at.scene.batch,
        "lr": at.scene.lr,
        "max_norm": at.max_norm,
        "smoothing": at.scene.smoothing,
        "seed": seed,
        "walks": [{"name": name, **walk} for name, walk in WALKS.items()],
        "factor": ap.FACTOR,
    }
    return ProbeRequest("amp:steps", args, at.scene.tensors())


def _steps(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": _request(_stage(ctx), ctx.seed)}


def _walk(ctx: Context, evidence: Evidence, name: str) -> Walk[ap.StepRecipe]:
    """One of the four walks; those of the same evidence are compared once for all checks."""
    done, at = require(evidence), _stage(ctx)
    seen = weights_of(done, name, CALLS, at.scene.start)
    told = field_of(done, name, dict)
    walk: Walk[ap.StepRecipe] = read_walk(told, seen, CALLS, scaled=True)
    found = None
    if name != "overflow" and len(seen) > 1 and np.isfinite(seen[1]).all():
        blob = np.ascontiguousarray(seen, dtype=np.float32).tobytes()
        scale = float(WALKS[name]["scale"])
        found = _found(at, scale, blob, len(seen), walk.reduced)
    return replace(walk, found=found)


@lru_cache(maxsize=256)
def _found(
    at: ap.Stage, scale: float, blob: bytes, rows: int, reduced: bool
) -> Found[ap.StepRecipe]:
    seen = np.frombuffer(blob, dtype=np.float32).reshape(rows, -1)
    correct = ap.correct_walk(at, scale)
    return nearest(correct, lambda: ap.known_walks(at, scale), seen, reduced=reduced)


def _off(ctx: Context, evidence: Evidence) -> Walk[ap.StepRecipe]:
    """The walk with a disabled scaler, which must have run for anything else to be asked."""
    if evidence.status != "done":
        why = "not checked: train_amp_step did not run; see the first check of its task"
        raise Inconclusive(Outcome.not_checked(why))
    walk = _walk(ctx, evidence, "off")
    if not walk.calls:
        why = f"train_amp_step raised {walk.raised}"
        raise Inconclusive(Outcome.not_checked(f"not checked: {why}"))
    return walk


def judge_runs(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The calls come through, with a disabled scaler, and return finite numbers."""
    walk = _walk(ctx, require(evidence["main"]), "off")
    if walk.raised:
        return Outcome(Status.ERROR, 0.0, (), f"your code raised {walk.raised}")
    if None in walk.returned:
        return Outcome.failed("train_amp_step did not return a number", "wrong_value")
    if not all(v is not None and np.isfinite(v) for v in walk.returned):
        return Outcome.failed("train_amp_step returned nan or infinity", "wrong_value")
    return Outcome.passed(f"the first loss was {walk.returned[0]:.4g}")


def judge_zero(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each call starts from cleared gradients, under a disabled and an enabled scaler."""
    off = _off(ctx, evidence["main"])
    for name in ("off", "one", "large"):
        walk = _walk(ctx, evidence["main"], name)
        if walk.recipe is not None and "missing_zero_grad" in walk.recipe.bugs:
            left = f" of norm {walk.left[0]:.3g}" if walk.left else ""
            return Outcome.failed(
                f"{SCALER[name]}, the gradients{left} of call 1 were still there at call 2: "
                f"{said(walk)}",
                "missing_zero_grad",
            )
    return unseen(off) or Outcome.passed()


def judge_beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """One backward pass and one step a call, in their order."""
    walk = _off(ctx, evidence["main"])
    if walk.raised and stepped_too_early(walk):
        return Outcome.failed(
            f"call {walk.calls + 1} stepped between the forward and the backward pass: the "
            f"latter then found weights changed that it needed, and raised",
            "step_before_backward",
        )
    if walk.still:
        return why_still(walk)
    if walk.found is None or walk.recipe is None:
        why = said(walk) or "the weights became nan or infinite"
        return Outcome.failed(f"{SCALER['off']}, {why}; no known mistake leads there")
    if "step_before_backward" in walk.recipe.bugs:
        return Outcome.failed(
            "each step moved the weights by the gradients of the call before: the step came before "
            "this batch's backward pass",
            "step_before_backward",
        )
    return Outcome.passed()


def judge_objective(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """What was differentiated is the mean loss of the batch."""
    walk = _off(ctx, evidence["main"])
    return unseen(walk) or wrong_objective(walk, "a step") or Outcome.passed()


def judge_clip(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Gradients are clipped after they were unscaled and before the step uses them."""
    off = _off(ctx, evidence["main"])
    for name in ("off", "one", "large"):
        walk = _walk(ctx, evidence["main"], name)
        bugs = walk.recipe.bugs if walk.recipe is not None else ()
        if "clip_no_effect" in bugs:
            return Outcome.failed(
                f"{SCALER[name]} and a limit of {_stage(ctx).max_norm:.3g}, the step used "
                f"gradients longer than that: {said(walk)}",
                "clip_no_effect",
            )
        if "clip_before_unscale" in bugs:
            return Outcome.failed(
                f"{SCALER[name]}, the scaled gradients were compared with the limit: {said(walk)}",
                "clip_before_unscale",
            )
    if hidden := unseen(off):
        return hidden
    large = _walk(ctx, evidence["main"], "large")
    if large.recipe is None:
        why = large.raised or said(large)
        return Outcome.not_checked(f"not checked: {SCALER['large']}, {why}")
    return Outcome.passed()


_REFUSALS = {
    "since the last update": "it was not updated after the step before",
    "after step()": "it was not updated after the step before",
    "_scale is None": "no loss was scaled by it",
    "No inf checks": "it was to step without gradients that came from a scaled loss",
}
"""What an enabled scaler says when it is used in a wrong order, and what that means here."""


def _refusal(walk: Walk[Any]) -> str:
    """Why the scaler itself refused a call, in words; "" where it did not."""
    for said_by_it, meaning in _REFUSALS.items():
        if said_by_it in walk.raised:
            return f"the scaler refused call {walk.calls + 1}: {meaning} ({walk.raised})"
    return ""


def judge_scaler(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """With a large scale the optimizer gets the same steps, and the scale grows as it should."""
    off, large = _off(ctx, evidence["main"]), _walk(ctx, evidence["main"], "large")
    if hidden := unseen(off):
        return hidden
    if refusal := _refusal(large):
        return Outcome.failed(f"{SCALER['large']}, {refusal}", "wrong_value")
    if large.raised:
        return Outcome(Status.ERROR, 0.0, (), f"{SCALER['large']} your code raised {large.raised}")
    if large.found is None or large.found.still:
        return Outcome.failed(
            f"{SCALER['large']} no weight moved, or not to anything finite", "wrong_value"
        )
    recipe = large.recipe
    if recipe is None or recipe.scaling != "right":
        what = {
            "loss_unscaled": "end where a step ends that divides by a scale it never multiplied by",
            "raw_step": "end where a step ends whose optimizer uses gradients still scaled",
        }.get(recipe.scaling if recipe else "", "no known mistake leads there")
        return Outcome.failed(f"{SCALER['large']}, {said(large)}; {what}", "wrong_value")
    want = ap.scales(CALLS)
    for call, (got, right) in enumerate(zip(large.scales, want, strict=False), start=1):
        if got != right:
            return Outcome.failed(
                f"after call {call} the scale is {got:g}; updated once per step it is {right:g}",
                "wrong_value",
            )
    return Outcome.passed()


def judge_overflow(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The call whose scaled gradients are infinite moves nothing, and lowers the scale."""
    off = _off(ctx, evidence["main"])
    if hidden := unseen(off):
        return hidden
    if off.recipe is not None and off.recipe.step == "stale":
        why = "each step uses the gradients of the call before"
        return Outcome.not_checked(f"not checked: {why}")
    walk, at = _walk(ctx, evidence["main"], "overflow"), ap.OVERFLOW_AT
    if walk.calls <= at or len(walk.seen) < at + 2:
        return Outcome.not_checked(
            f"not checked: call {walk.calls + 1} of {CALLS} raised {walk.raised}"
        )
    before, after = (np.asarray(walk.seen[i], dtype=np.float64) for i in (at, at + 1))
    if not np.isfinite(after).all():
        return Outcome.failed(
            f"call {at + 1}, whose scaled gradients overflow, was not skipped: the weights became "
            f"nan or infinite",
            "wrong_value",
        )
    if not np.array_equal(before, after):
        return Outcome.failed(
            f"call {at + 1}, whose scaled gradients overflow, moved the weights by "
            f"{np.linalg.norm(after - before):.3g}; it is to be skipped",
            "wrong_value",
        )
    if not walk.scales[at] < walk.scales[at - 1]:
        return Outcome.failed(
            f"call {at + 1} was skipped, but the scale stayed at {walk.scales[at]:g}: the scaler "
            f"did not learn of the overflow",
            "wrong_value",
        )
    return Outcome.passed()


def judge_loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The number returned is the batch's loss, not the scaled one."""
    off, large = _off(ctx, evidence["main"]), _walk(ctx, evidence["main"], "large")
    for name, walk in (("off", off), ("large", large)):
        if len(walk.seen) <= walk.calls or not np.isfinite(walk.seen[: walk.calls + 1]).all():
            continue
        objective = walk.recipe.objective if walk.recipe is not None else "given"
        scene = _stage(ctx).scene
        at = walk.seen  # where the step comes first, the loss is that of the weights after it
        if walk.recipe is not None and walk.recipe.step == "stale":
            at = walk.seen[1:]
        allowed = [losses_at(scene, at, n) for n in dict.fromkeys((objective, "given"))]
        tolerance = REDUCED_LOSS_TOLERANCE if walk.reduced else LOSS_TOLERANCE
        for call, got in enumerate(walk.returned):
            value = float("nan") if got is None else got
            if any(abs(value - right[call]) <= tolerance * abs(right[call]) for right in allowed):
                continue
            scaled = abs(value / (allowed[-1][call] * ap.LARGE) - 1) < tolerance
            what = "it is the scaled loss" if scaled else f"the loss is {allowed[-1][call]:.4g}"
            return Outcome.failed(
                f"{SCALER[name]}, call {call + 1} returned {value:.4g}: {what}", "wrong_value"
            )
    return Outcome.passed()


def _check(name: str, judge: Judge, help: str, *bugs: str) -> StandardCheck:
    return StandardCheck(name, _steps, judge, help, bugs)


CHECKS: tuple[StandardCheck, ...] = (
    _check(
        "amp_runs",
        judge_runs,
        "The function takes one batch, a pair of images and labels, and returns its loss.",
        "missing_name",
        "wrong_value",
    ),
    _check(
        "amp_zero",
        judge_zero,
        "Gradients add up in `.grad` until they are cleared.",
        "missing_zero_grad",
    ),
    _check(
        "amp_beats",
        judge_beats,
        "Zero, forward, loss, backward, step: each once, in this order. The scaler takes part "
        "in the backward pass and in the step, and adds no beat of its own to either.",
        "zero_grad_after_backward",
        "step_before_backward",
        "missing_backward",
        "missing_step",
    ),
    _check(
        "amp_objective",
        judge_objective,
        "What is differentiated is the mean loss of the batch, by the loss function given.",
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "sum_instead_of_mean",
        "wrong_value",
    ),
    _check(
        "amp_clip",
        judge_clip,
        "The limit is meant for the true gradients: those after the backward pass, divided by "
        "the scale again, just before the step.",
        "clip_no_effect",
        "clip_before_unscale",
    ),
    _check(
        "amp_scaler",
        judge_scaler,
        "A gradient scaler multiplies the loss before the backward pass and divides the gradients "
        "before the step; after the step it has to be told, so that it can adapt the scale.",
        "wrong_value",
    ),
    _check(
        "amp_overflow",
        judge_overflow,
        "Where a scaled gradient is infinite, the scaler's own step leaves the weights alone, and "
        "its update lowers the scale. An optimizer that steps by itself knows nothing of it.",
        "wrong_value",
    ),
    _check(
        "amp_loss",
        judge_loss,
        "The scale is there for the gradients. Whoever calls wants to see the loss itself.",
        "wrong_value",
    ),
)
