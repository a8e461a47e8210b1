"""Checks of `clip_gradients`: gradients in, gradients out, for limits above and below a norm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from autograder.checks.base import Context, check, field_of, require, tensor_of
from autograder.model import Evidence, Outcome, ProbeRequest

from .steps import CLIP_EPS

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
    return {"main": ProbeRequest("own:clip", args, tensors)}


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


@check(
    requests=_clip_request,
    bugs=("missing_name", "clip_no_effect", "wrong_value"),
    help=(
        "All gradients together are one long vector. Clipping by norm keeps its direction and "
        "shortens it, and leaves it alone where it is short enough."
    ),
)
def clip_values(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
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


@check(
    requests=_clip_request,
    bugs=("wrong_value",),
    help=(
        "The norm before clipping is what one wants to plot: it shows how often the limit bites."
    ),
)
def clip_norm(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
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
