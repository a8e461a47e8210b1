"""Checks of `train_epoch`: where in the loop the schedule moves.

Theory. The secret schedule's factors are all different and in no order, so a loop that moves it too
early, too often, too seldom or never takes its steps at other rates. The rate of each step is told
by the optimizer, and confirmed by running it: the weights move as these rates move them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.checks.base import Context, Inconclusive, check, require
from autograder.checks.loops import Loop, beats, clearing, late_steps, raised
from autograder.checks.reference.replay import Replay, number_of, read
from autograder.model import Evidence, Outcome, ProbeRequest, Status

from .amp import given_objective
from .steps import BATCH, BRIGHT, RAY, SMOOTHING, StepFixture, step_fixture

EPOCHS, BATCHES = 3, 4
RUNS = {"epoch": False, "batch": True}
"""The two runs, and `per_batch` of each."""
EXACT = 1e-5
ARGUMENTS = ["model", "loader", "loss_fn", "optimizer", "scheduler", "per_batch"]
CADENCES = {
    "other": "at the other's pace",
    "never": "never",
    "early": "before the step and not after it",
    "early_other": "before the step, and at the other's pace",
    "both": "after every batch and after every epoch too",
}
"""Wrong paces, and how they are told."""


def _fixture(ctx: Context) -> StepFixture:
    return step_fixture(int(ctx.rng("schedule", shared=True).integers(2**62)), BRIGHT[:BATCHES])


@lru_cache(maxsize=64)
def _factors(seed: int) -> tuple[float, ...]:
    """What the rate is multiplied by after each move of the schedule."""
    rng = np.random.default_rng(seed)
    spread = np.linspace(0.15, 1.6, EPOCHS * (BATCHES + 1) + 1)
    return tuple(rng.permutation(spread).round(4).tolist())


def factors(ctx: Context) -> tuple[float, ...]:
    """The secret factors of an assignment's schedule."""
    return _factors(int(ctx.rng("schedule/factors").integers(2**62)))


def rates(ctx: Context, cadence: str, *, per_batch: bool) -> list[float]:
    """The learning rate of every batch of all epochs, where the schedule moves at this pace."""
    base = float(_fixture(ctx).fixture.values["lr"])
    found = []
    for epoch in range(EPOCHS):
        for k in range(BATCHES):
            batches = epoch * BATCHES + k
            mine, other = (batches, epoch) if per_batch else (epoch, batches)
            moves = {
                "right": mine,
                "other": other,
                "never": 0,
                "early": mine + 1,
                "early_other": other + 1,
                "both": batches + epoch,
            }[cadence]
            found.append(base * factors(ctx)[moves])
    return found


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    made = _fixture(ctx)
    asked = {}
    for name, per_batch in RUNS.items():
        values = {"factors": list(factors(ctx)), "per_batch": per_batch}
        args = {
            "function": "train_epoch",
            "arguments": ARGUMENTS,
            "calls": EPOCHS,
            "fixture": {**made.fixture.values, **values},
            "keep": EPOCHS * BATCHES,
            "ray": RAY,
            "seed": ctx.seed,
        }
        asked[name] = ProbeRequest("drive:call", args, made.fixture.tensors)
    return asked


def _run(ctx: Context, evidence: Evidence) -> tuple[Replay, Evidence]:
    done, made = require(evidence), _fixture(ctx)
    error = done.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    return read(
        done, made.fixture.known, ray=RAY, mask=made.fixture.mask, smoothing=SMOOTHING
    ), done


def _used(replay: Replay) -> list[float]:
    """The rate of each step: as told by the optimizer, where running it confirms that, else how
    many times its batch's gradient the step was long.
    """
    fits = replay.optimized(0)
    if fits is not None and fits.fits:
        return [s.rates[0] for s in replay.steps if s.rates]
    return replay.effective_rates()[0]


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


def _cadence(ctx: Context, got: list[float], *, per_batch: bool) -> str:
    """The wrong pace that these rates follow, in words; "" for none of those known."""
    for name, how in CADENCES.items():
        other = rates(ctx, name, per_batch=per_batch)
        if len(got) == len(other) and np.allclose(got, other, rtol=1e-4):
            return how
    return ""


@check(
    requests=_requests,
    bugs=("scheduler_order",),
    help="The schedule prepares the next step's rate, so it moves after the optimizer.",
)
def schedule_order(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Every step is taken at the rate that the schedule has for it."""
    for name, per_batch in RUNS.items():
        replay, _ = _run(ctx, evidence[name])
        every = "a schedule that counts " + ("batches" if per_batch else "epochs")
        got, right = _used(replay), rates(ctx, "right", per_batch=per_batch)
        if not got:
            return Outcome.not_checked("not checked: no step was taken, so no rate can be seen")
        if len(got) == len(right) - 1 and late_steps(replay):
            got = [right[0], *got]  # the first step had nothing to use: that is another check's
        wrong = _first_wrong(got, right)
        if wrong:
            how = _cadence(ctx, got, per_batch=per_batch)
            moved = f" was moved {how}" if how else ""
            return Outcome.failed(f"{every}{moved}: {wrong}", "scheduler_order")
    return Outcome.passed()


@check(
    requests=_requests,
    bugs=(
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
    help="A schedule adds a beat after the five; it changes none of them.",
)
def schedule_beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The five beats are as they were before there was a schedule."""
    for name in RUNS:
        replay, _ = _run(ctx, evidence[name])
        loop = Loop(replay, "", [BATCH] * BATCHES)
        for judge in (clearing, beats):
            found = judge(loop)
            if found.status is Status.FAILED:
                return found
        found = given_objective(replay)
        if found.status is not Status.PASSED:
            return found
    return Outcome.passed()


@check(
    requests=_requests,
    bugs=("wrong_value",),
    help="Read the rate where the step is taken; afterwards it may already be another.",
)
def schedule_rates(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The list returned holds the rate that each batch's step was taken at."""
    for name, per_batch in RUNS.items():
        replay, done = _run(ctx, evidence[name])
        used = _used(replay)
        if len(used) != EPOCHS * BATCHES:
            used = rates(ctx, "right", per_batch=per_batch)
        told = done.data.get("returned")
        for epoch, returned in enumerate(told if isinstance(told, list) else []):
            got = _series(returned)
            due = used[epoch * BATCHES : (epoch + 1) * BATCHES]
            if got is None:
                return Outcome.failed("train_epoch did not return a list", "wrong_value")
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


def _series(returned: Any) -> list[float] | None:
    """A returned list of numbers; None for anything else."""
    values = returned.get("values") if isinstance(returned, dict) else None
    if not isinstance(values, list):
        return None
    return [number_of(v.get("value") if isinstance(v, dict) else None) for v in values]
