"""Checks of learning-rate schedules as tables: `lr_at` and `make_scheduler`.

A schedule is a function from steps to rates. Both are read off rate by rate and compared with
the handout's formulas, for lengths, rates and warm-ups that the handout does not show. How a
loop uses a schedule is asked in `schedule_beat`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import Context, Judge, Requests, StandardCheck, field_of, require

EXACT = 1e-6
LENGTHS = ((9, 5), (12, 4))
"""Epochs and batches of each: what is right for one length may be a constant in the code."""
NAMES = ("step", "cosine", "one-cycle")
UNKNOWN = "staircase"


# lr_at


def lr_at(step: int, total: int, base_lr: float, warmup: int) -> float:
    """The handout's schedule: a straight line up to `base_lr`, then half a cosine down to 0."""
    if step < warmup:
        return base_lr * (step + 1) / warmup
    progress = (step - warmup) / (total - warmup)
    return base_lr * 0.5 * (1 + math.cos(math.pi * progress))


def _calls(ctx: Context, *, public: bool) -> list[tuple[int, int, float, int]]:
    """(step, total, base_lr, warmup) of every call."""
    if public:
        return [(step, 12, 0.1, 4) for step in range(12)]
    rng = ctx.rng("lr_at")
    runs = [
        (int(rng.integers(30, 60)), float(rng.uniform(0.01, 2)), int(rng.integers(5, 12))),
        (int(rng.integers(20, 40)), float(rng.uniform(1e-4, 1e-2)), 0),
        (int(rng.integers(20, 40)), float(rng.uniform(0.1, 1)), 1),
    ]
    return [(step, n, round(lr, 6), up) for n, lr, up in runs for step in range(n)]


def _table(*, public: bool) -> Requests:
    def requests(ctx: Context) -> Mapping[str, ProbeRequest]:
        calls = [list(call) for call in _calls(ctx, public=public)]
        return {"main": ProbeRequest("schedules:table", {"calls": calls})}

    return requests


def _like(got: float, call: tuple[int, int, float, int]) -> str:
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


def _judge_table(*, public: bool) -> Judge:
    def judge(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        """Every rate is the formula's."""
        told = field_of(require(evidence["main"]), "returned", list)
        calls = _calls(ctx, public=public)
        for call, got in zip(calls, told, strict=False):
            where = "lr_at({}, {}, {:g}, {})".format(*call)
            value = got.get("value") if isinstance(got, dict) else None
            if not isinstance(value, (int, float)):
                kind = str(got.get("kind"))[:80] if isinstance(got, dict) else "nothing"
                said = kind if value is None else str(value)[:10]
                return Outcome.failed(f"{where} returned {said}, not a number", "wrong_value")
            right = lr_at(*call)
            if abs(value - right) > EXACT * call[2]:
                return Outcome.failed(
                    f"{where} is {value:.6g}, where {right:.6g} is right{_like(value, call)}",
                    "wrong_value",
                )
        if len(told) != len(calls):
            return Outcome(Status.ERROR, 0.0, (), "the probe's answer was tampered with")
        return Outcome.passed()

    return judge


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


def _lr(ctx: Context) -> float:
    return round(float(ctx.rng("make_scheduler").uniform(0.05, 0.9)), 4)


def _traces(ctx: Context) -> Mapping[str, ProbeRequest]:
    args = {
        "names": list(NAMES),
        "lengths": [list(length) for length in LENGTHS],
        "lr": _lr(ctx),
        "unknown": UNKNOWN,
    }
    return {"main": ProbeRequest("schedules:traces", args)}


def judge_made(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each of the three names gives something that can step; another name is refused."""
    done = require(evidence["main"])
    told = field_of(done, "schedules", dict)
    for name in NAMES:
        made = told.get(name)
        if not isinstance(made, dict) or not isinstance(made.get("rates"), list):
            kind = str(made.get("kind"))[:80] if isinstance(made, dict) else "nothing"
            return Outcome.failed(
                f"make_scheduler('{name}', …) returned {kind}, which has no step()", "wrong_value"
            )
    refused = field_of(done, "refused", str)[:80]
    if refused != "ValueError":
        said = f"raised {refused}" if refused else "was accepted"
        return Outcome.failed(
            f"an unknown name, '{UNKNOWN}', {said}; it is to raise ValueError", "wrong_value"
        )
    return Outcome.passed()


def judge_traces(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The rates of each schedule, batch by batch, are those of the handout."""
    told = field_of(require(evidence["main"]), "schedules", dict)
    lr = _lr(ctx)
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


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "lr_example",
        _table(public=True),
        _judge_table(public=True),
        "Work out the rates of twelve steps, four of them warm-up, with a pencil, and compare.",
        ("missing_name", "wrong_value"),
    ),
    StandardCheck(
        "lr_curve",
        _table(public=False),
        _judge_table(public=False),
        "The cosine begins where the warm-up ends, and spans the steps that are left. Without a "
        "warm-up it begins at the first step.",
        ("wrong_value",),
    ),
    StandardCheck(
        "schedulers_made",
        _traces,
        judge_made,
        "A scheduler holds an optimizer and changes its rate each time it is told to step.",
        ("missing_name", "wrong_value"),
    ),
    StandardCheck(
        "schedulers_traces",
        _traces,
        judge_traces,
        "Make each schedule, step it as often as a training would, and plot the rates.",
        ("wrong_value",),
    ),
)
