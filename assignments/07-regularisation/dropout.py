"""Judges of `Dropout`: counts over many entries, and what must hold to the last bit.

No random stream is compared with another. What goes in is never zero, so a zero that comes out was
dropped, and of any other entry the quotient of the two is its factor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autograder.checks.base import Context, check, field_of, probe, require
from autograder.model import Array, Evidence, Outcome, ProbeRequest, Status

from .public_checks import evaluated, shaped

P = 0.2
"""Unlike 0.5 it tells dropping with probability p from keeping with it."""
SHAPE = (10, 8, 20, 25)
"""40,000 entries, in four dimensions: whole rows, channels or samples that go together show along
one of them."""
ERRORS = 5.0
"""Standard errors by which a count may miss: less than one honest layer in a million does."""
CLOSE = 1e-5

Mask = NDArray[np.bool_]


def _inputs(ctx: Context) -> tuple[Array, Array]:
    """Entries of either sign away from zero, and weights for their sum."""
    rng = ctx.rng("dropout", shared=True)
    x = rng.uniform(0.5, 1.5, SHAPE) * rng.choice((-1.0, 1.0), SHAPE)
    return x.astype(np.float32), rng.uniform(0.5, 1.5, SHAPE).astype(np.float32)


def _asked(ctx: Context) -> ProbeRequest:
    x, weight = _inputs(ctx)
    return probe("dropout", {"p": P, "seed": ctx.seed}, {"x": x, "weight": weight})


def _kept(ctx: Context, done: Evidence, name: str) -> tuple[Mask, Array]:
    """Which entries were kept by a call, and by which factor."""
    x, _ = _inputs(ctx)
    found = shaped(done, name, SHAPE)
    return found != 0, found / x


def _apart(share: float, right: float, count: float) -> float:
    """By how many standard errors a share of `count` draws misses."""
    return abs(share - right) / float(np.sqrt(right * (1 - right) / count))


@check(
    main=_asked,
    bugs=("missing_name", "wrong_shape", "wrong_dropout"),
    help="Of 40,000 ones at p = 0.2, some 8,000 become zero and the others 1.25.",
)
def dropout_shares(ctx: Context, main: Evidence) -> Outcome:
    """The share of zeros, and the factor of the others."""
    done = require(main)
    kept, factors = _kept(ctx, done, "first")
    share = 1 - float(kept.mean())
    count = _draws(kept)
    if _apart(share, P, count) > ERRORS:
        said = f"at p = {P} a share of {share:.3f} of all entries became zero"
        if _apart(share, 1 - P, count) <= ERRORS:
            said += ": they are kept with probability p, and not dropped"
        return Outcome.failed(said, "wrong_dropout")
    factor = float(np.median(factors[kept])) if kept.any() else 0.0
    if not np.allclose(factors[kept], 1 / (1 - P), rtol=CLOSE):
        return Outcome.failed(
            f"at p = {P} what was kept came out {factor:.4g} times as large; "
            f"1 / (1 - p) is {1 / (1 - P):.4g}",
            "wrong_dropout",
        )
    return Outcome.passed()


def _draws(kept: Mask) -> float:
    """As many entries as were drawn for themselves: where whole lines of them go together, that is
    another check's question.
    """
    count = 1.0
    for axis, size in enumerate(SHAPE):
        same = (np.diff(kept.astype(np.int8), axis=axis) == 0).all()
        count *= 1 if same else size
    return count


@check(
    main=_asked,
    bugs=("wrong_shape", "wrong_dropout", "incomplete_seeding"),
    help="Every entry has a draw of its own, and every call draws anew.",
)
def dropout_independent(ctx: Context, main: Evidence) -> Outcome:
    """Whether neighbours along each dimension, and two calls, are masked independently."""
    done = require(main)
    kept, _ = _kept(ctx, done, "first")
    second, _ = _kept(ctx, done, "second")
    again, _ = _kept(ctx, done, "repeated")
    p = 1 - float(kept.mean())
    if not 0 < p < 1:
        return Outcome.not_checked("not checked: nothing was dropped, or everything")
    alike = p**2 + (1 - p) ** 2
    for axis in range(kept.ndim):
        same = np.diff(kept.astype(np.int8), axis=axis) == 0
        # neighbouring pairs share an entry, so that they say half as much as single draws at least
        if _apart(float(same.mean()), alike, same.size / 2) > ERRORS:
            return Outcome.failed(
                f"entries that lie side by side along dimension {axis} of {kept.ndim} were treated "
                f"alike in a share of {same.mean():.3f}; drawn for themselves it is {alike:.3f}",
                "wrong_dropout",
            )
    if _apart(float((kept == second).mean()), alike, kept.size) > ERRORS:
        both = float((kept == second).mean())
        return Outcome.failed(
            f"two calls treated a share of {both:.3f} of all entries alike; drawn anew it is "
            f"{alike:.3f}",
            "wrong_dropout",
        )
    if not np.array_equal(kept, again):
        return Outcome.failed(
            "two calls after the same torch.manual_seed dropped different entries",
            "incomplete_seeding",
        )
    return Outcome.passed()


@check(
    main=_asked,
    bugs=("wrong_shape", "wrong_value", "graph_cut", "mutates_input", "inplace_autograd_error"),
    help="The gradient of an entry that was dropped is zero, of another the factor it was given.",
)
def dropout_gradient(ctx: Context, main: Evidence) -> Outcome:
    """Whether gradients go where entries went, and whether the input is what it was."""
    done = require(main)
    error = done.data.get("raised")
    if isinstance(error, dict):
        message = str(error.get("message"))[:200]
        bug = ("inplace_autograd_error",) if "in-place" in message or "inplace" in message else ()
        return Outcome(
            Status.ERROR, 0.0, bug, f"the backward pass raised {error.get('type')}: {message}"
        )
    _, factors = _kept(ctx, done, "passed")
    if "gradient" not in done.tensors:
        return Outcome.failed("no gradient comes back through the layer", "graph_cut")
    found = shaped(done, "gradient", SHAPE)
    _, weight = _inputs(ctx)
    if not np.allclose(found, weight * factors, rtol=1e-4, atol=1e-5):
        return Outcome.failed(
            "the gradient is not what the entries were multiplied by, in "
            f"{int((~np.isclose(found, weight * factors, rtol=1e-4, atol=1e-5)).sum())} of "
            f"{found.size} places",
            "wrong_value",
        )
    if field_of(done, "touched", bool):
        return Outcome.failed(
            "the layer changed the tensor that it was given; whoever made it may need it",
            "mutates_input",
        )
    return Outcome.passed()


REFUSED = (-0.1, 1.0, 1.5)


def _bounds(ctx: Context) -> ProbeRequest:
    x, _ = _inputs(ctx)
    probabilities = [*REFUSED, 0.0, 0.999]
    return probe("bounds", {"probabilities": probabilities, "seed": ctx.seed}, {"x": x[0]})


@check(
    main=_asked,
    limits=_bounds,
    bugs=("wrong_shape", "wrong_value", "wrong_dropout", "dropout_always_on"),
    help="At p = 0 and in evaluation the input comes out to the last bit; p = 1 makes no sense.",
)
def dropout_bounds(ctx: Context, main: Evidence, limits: Evidence) -> Outcome:
    """Which probabilities are refused, and where nothing may change."""
    asked = require(limits)
    raised = field_of(asked, "raised", list)
    for p, classes in zip((*REFUSED, 0.0, 0.999), raised, strict=False):
        names = classes if isinstance(classes, list) else []
        if p in REFUSED and "ValueError" not in names:
            what = f"raises {names[0]}" if names else "is accepted"
            return Outcome.failed(f"Dropout({p:g}) {str(what)[:80]}", "wrong_value")
        if p not in REFUSED and names:
            return Outcome.failed(f"Dropout({p:g}) raises {str(names[0])[:80]}", "wrong_value")
    x, _ = _inputs(ctx)
    plain = shaped(asked, "kept", x[0].shape)
    if not np.array_equal(plain, x[0]):
        return Outcome.failed("Dropout(0) changes its input in training mode", "wrong_dropout")
    return evaluated(require(main), x)
