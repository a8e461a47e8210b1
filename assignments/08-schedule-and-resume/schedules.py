"""Hidden checks of learning-rate schedules as tables: `lr_at` and `make_scheduler`.

Rates are compared with the handout's formulas, for lengths, rates and warm-ups that the handout
does not show. How a loop uses a schedule is asked in `schedule_beat`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from autograder.checks.base import Context, check, field_of, require
from autograder.model import Evidence, Outcome

from .schedulers import (
    EXACT,
    LENGTHS,
    NAMES,
    Call,
    judged_table,
    secret_rate,
    table,
    traces,
)

# lr_at


def lr_at(step: int, total: int, base_lr: float, warmup: int) -> float:
    """The handout's schedule: a straight line up to `base_lr`, then half a cosine down to 0."""
    if step < warmup:
        return base_lr * (step + 1) / warmup
    progress = (step - warmup) / (total - warmup)
    return base_lr * 0.5 * (1 + math.cos(math.pi * progress))


def _calls(ctx: Context) -> list[Call]:
    """Whole schedules: a long warm-up, none, and one of a single step."""
    rng = ctx.rng("lr_at")
    runs = [
        (int(rng.integers(30, 60)), float(rng.uniform(0.01, 2)), int(rng.integers(5, 12))),
        (int(rng.integers(20, 40)), float(rng.uniform(1e-4, 1e-2)), 0),
        (int(rng.integers(20, 40)), float(rng.uniform(0.1, 1)), 1),
    ]
    return [(step, n, round(lr, 6), up) for n, lr, up in runs for step in range(n)]


def _like(got: float, call: Call) -> str:
    """What a wrong rate looks like, in words; "" where like nothing known."""
    step, total, base, warmup = call
    if step < warmup and abs(got - base * step / warmup) <= EXACT * base:
        return "; the warm-up starts from 0, so that the first step would not move"
    over_all = base * 0.5 * (1 + math.cos(math.pi * step / total))
    if step >= warmup and abs(got - over_all) <= EXACT * base:
        return "; that is a cosine over all steps, and not over those after the warm-up"
    if abs(got - base) <= EXACT * base:
        return "; that is the full rate"
    return ""


@check(
    requests=lambda ctx: table(_calls(ctx)),
    bugs=("wrong_value",),
    help=(
        "The cosine begins where the warm-up ends, and spans the steps that are left. Without a "
        "warm-up it begins at the first step."
    ),
)
def lr_curve(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the rates of other schedules are right."""
    rates = {call: lr_at(*call) for call in _calls(ctx)}
    return judged_table(evidence["main"], rates, _like)


# make_scheduler


@lru_cache(maxsize=16)
def rates(name: str, lr: float, epochs: int, steps_per_epoch: int) -> tuple[float, ...]:
    """The rate of every batch under the handout's schedule `name`."""
    if name == "one-cycle":
        import torch
        from torch.optim.lr_scheduler import OneCycleLR

        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)
        made = OneCycleLR(optimizer, max_lr=lr, total_steps=epochs * steps_per_epoch)
        found = []
        for _ in range(epochs * steps_per_epoch):
            found.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            made.step()
        return tuple(found)
    if name == "step":
        per_epoch = [lr * 0.1 ** (e // (epochs // 3)) for e in range(epochs)]
    else:
        per_epoch = [lr * 0.5 * (1 + math.cos(math.pi * e / epochs)) for e in range(epochs)]
    return tuple(r for r in per_epoch for _ in range(steps_per_epoch))


@check(
    main=traces,
    bugs=("wrong_value",),
    help="Make each schedule, step it as often as a training would, and plot the rates.",
)
def schedulers_traces(ctx: Context, main: Evidence) -> Outcome:
    """The rates of each schedule, batch by batch, are those of the handout."""
    told = field_of(require(main), "schedules", dict)
    lr = secret_rate(ctx)
    for name in NAMES:
        made = told.get(name)
        got = made.get("rates") if isinstance(made, dict) else None
        if not isinstance(got, list):
            return Outcome.not_checked(f"not checked: '{name}' gave no schedule")
        expected = [(n, at, r) for n in LENGTHS for at, r in enumerate(rates(name, lr, *n))]
        for k, ((epochs, batches), at, right) in enumerate(expected):
            value = got[k] if k < len(got) else None
            fits = isinstance(value, (int, float)) and abs(value - right) <= EXACT * lr
            if not fits:
                shown = f"{value:.6g}" if isinstance(value, (int, float)) else str(value)[:10]
                epoch, batch = divmod(at, batches)
                return Outcome.failed(
                    f"'{name}' from a rate of {lr:g} over {epochs} epochs of {batches} "
                    f"batches: in epoch {epoch + 1}, batch {batch + 1} the rate was {shown}, "
                    f"where {right:.6g} is right",
                    "wrong_value",
                )
    return Outcome.passed()
