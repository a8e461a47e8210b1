"""Judges of `l2_penalty`: its value, its gradients, and a step of SGD on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.checks.base import Context, check, field_of, probe, require, tensor_of
from autograder.checks.loops import raised
from autograder.checks.reference.replay import number_of
from autograder.model import Array, Evidence, Outcome, ProbeRequest

SHAPES = ((4, 3), (4,), (2, 4), (1,))
BUFFERS = ((4,), (2,))
RATE = 0.1
CLOSE = 1e-5
"""Relative, of sums over a few dozen numbers in float32."""


@dataclass(frozen=True, eq=False)
class _Secret:
    values: list[Array]
    buffers: list[Array]
    pulls: list[Array]
    lam: float


def _secret(ctx: Context) -> _Secret:
    rng = ctx.rng("penalty", shared=True)

    def drawn(shape: tuple[int, ...]) -> Array:
        return rng.uniform(0.3, 1.5, shape).astype(np.float32) * rng.choice((-1, 1), shape).astype(
            np.float32
        )

    return _Secret(
        [drawn(s) for s in SHAPES],
        [drawn(s) for s in BUFFERS],
        [drawn(s) for s in SHAPES],
        float(np.round(rng.uniform(0.02, 0.2), 4)),
    )


def _asked(ctx: Context) -> ProbeRequest:
    made = _secret(ctx)
    tensors = {f"p{i}": v for i, v in enumerate(made.values)}
    tensors |= {f"b{i}": v for i, v in enumerate(made.buffers)}
    tensors |= {f"pull{i}": v for i, v in enumerate(made.pulls)}
    args = {
        "lam": made.lam,
        "rate": RATE,
        "parameters": len(made.values),
        "buffers": len(made.buffers),
    }
    return probe("penalty", args, tensors)


def _squares(arrays: list[Array]) -> float:
    return float(sum((np.float64(1) * a**2).sum() for a in arrays))


def _ways(made: _Secret) -> list[tuple[float, str]]:
    """The usual wrong penalties: (value, what it is)."""
    total, own = _squares(made.values + made.buffers), _squares(made.values)
    entries = sum(v.size for v in made.values)
    lam = made.lam
    return [
        (lam * own**0.5, "the root of the sum of squares"),
        (lam * sum(_squares([v]) ** 0.5 for v in made.values), "the sum of the tensors' norms"),
        (lam * own / 2, "half of it"),
        (lam * total, "buffers counted as well"),
        (lam * own / entries, "the mean of the squares, not their sum"),
        (lam * float(sum(np.abs(v).sum() for v in made.values)), "the sum of the absolute values"),
        (lam * _squares([v for v in made.values if v.ndim > 1]), "the matrices alone"),
        (lam**2 * own, "lam squared"),
        (own, "without lam"),
    ]


def _near(found: float, right: float) -> bool:
    return abs(found - right) <= CLOSE * max(abs(right), 1e-6)


def _wrong_value(made: _Secret, done: Evidence) -> Outcome | None:
    """What is wrong with the value, or None."""
    told = field_of(done, "value", dict)
    assert isinstance(told, dict)
    value = number_of(told.get("value"))
    if not np.isfinite(value):
        kind = str(told.get("kind"))[:80]
        return Outcome.failed(f"l2_penalty gave {kind}, not a finite number", "wrong_value")
    right = made.lam * _squares(made.values)
    if _near(value, right):
        return None
    said = f"l2_penalty gave {value:.6g}, where {right:.6g} is right"
    for other, what in _ways(made):
        if _near(value, other):
            return Outcome.failed(f"{said}: that is {what}", "wrong_weight_decay")
    return Outcome.failed(said, "wrong_weight_decay")


@check(
    main=_asked,
    bugs=("missing_name", "wrong_value", "wrong_weight_decay", "graph_cut"),
    help="The square of every parameter counts, times lam; its gradient is 2 · lam · parameter.",
)
def penalty_values(ctx: Context, main: Evidence) -> Outcome:
    """The value, and the gradient of each parameter."""
    done, made = require(main), _secret(ctx)
    wrong = _wrong_value(made, done)
    if wrong is not None:
        return wrong
    missing = [i for i in range(len(SHAPES)) if f"gradient.{i}" not in done.tensors]
    if missing:
        return Outcome.failed(
            f"the value is right, but no gradient comes back to {len(missing)} of {len(SHAPES)} "
            f"parameters",
            "graph_cut",
        )
    for i, value in enumerate(made.values):
        found = tensor_of(done, f"gradient.{i}", value.shape)
        right = 2 * made.lam * value
        if not np.allclose(found, right, rtol=CLOSE, atol=1e-6):
            worst = float(np.abs(found - right).max())
            return Outcome.failed(
                f"a gradient misses 2 · lam · parameter by up to {worst:.3g}", "graph_cut"
            )
    return Outcome.passed()


@check(
    main=_asked,
    bugs=("wrong_weight_decay", "graph_cut"),
    help="One step on loss + penalty moves each weight as one with weight_decay=2*lam does.",
)
def penalty_step(ctx: Context, main: Evidence) -> Outcome:
    """Where the parameters lie after one step of SGD."""
    done, made = require(main), _secret(ctx)
    error = done.data.get("raised")
    if isinstance(error, dict):
        return raised(error)
    pairs = list(enumerate(zip(made.values, made.pulls, strict=True)))
    after = [tensor_of(done, f"stepped.{i}", v.shape) for i, (v, _) in pairs]
    right = [v - RATE * (pull + 2 * made.lam * v) for _, (v, pull) in pairs]
    alone = [v - RATE * pull for _, (v, pull) in pairs]

    def same(other: list[Array]) -> bool:
        return all(
            np.allclose(a, b, rtol=CLOSE, atol=1e-6) for a, b in zip(after, other, strict=True)
        )

    if same(right):
        return Outcome.passed()
    if same(alone):
        return Outcome.failed("the step took no notice of the penalty", "graph_cut")
    return Outcome.failed(
        "a step of SGD on the loss and the penalty is not one with weight_decay = 2 · lam",
        "wrong_weight_decay",
    )
