"""Checks of `lr_at` and `make_scheduler` that students can run themselves, and what they share with
the hidden ones (`schedules`).

A schedule is a table of rates, so it is read off rate by rate: of `lr_at` by calling it, of a
scheduler by driving it as a training would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autograder.checks.base import Context, check, field_of, probe, require
from autograder.model import Evidence, Outcome, ProbeRequest, Status

EXACT = 1e-6
LENGTHS = ((9, 5), (12, 4))
"""Epochs and batches of each: what is right for one length may be a constant in the code."""
NAMES = ("step", "cosine", "one-cycle")
UNKNOWN = "staircase"

Call = tuple[int, int, float, int]
"""(step, total, base_lr, warmup)."""
EXAMPLE: Mapping[Call, float] = {
    (step, 12, 0.1, 4): rate
    for step, rate in enumerate(
        (
            0.025, 0.05, 0.075, 0.1, 0.1, 0.0961939766,
            0.0853553391, 0.0691341716, 0.05, 0.0308658284, 0.0146446609, 0.0038060234,
        )
    )
}  # fmt: skip
"""The rates of the handout's picture."""


# lr_at


def table(calls: Sequence[Call]) -> Mapping[str, ProbeRequest]:
    """Ask for what `lr_at` says to each of these calls."""
    return {"main": probe("table", {"calls": [list(call) for call in calls]})}


def judged_table(
    done: Evidence,
    rates: Mapping[Call, float],
    like: Callable[[float, Call], str] = lambda value, call: "",
) -> Outcome:
    """Every rate is the right one; `like` says what a wrong one looks like."""
    told = field_of(require(done), "returned", list)
    for (call, right), got in zip(rates.items(), told, strict=False):
        where = "lr_at({}, {}, {:g}, {})".format(*call)
        value = got.get("value") if isinstance(got, dict) else None
        if not isinstance(value, (int, float)):
            kind = str(got.get("kind"))[:80] if isinstance(got, dict) else "nothing"
            said = kind if value is None else str(value)[:10]
            return Outcome.failed(f"{where} returned {said}, not a number", "wrong_value")
        if abs(value - right) > EXACT * call[2]:
            return Outcome.failed(
                f"{where} is {value:.6g}, where {right:.6g} is right{like(value, call)}",
                "wrong_value",
            )
    if len(told) != len(rates):
        return Outcome(Status.ERROR, 0.0, (), "the probe's answer was tampered with")
    return Outcome.passed()


@check(
    requests=lambda ctx: table(list(EXAMPLE)),
    bugs=("missing_name", "wrong_value"),
    help="Work out the rates of twelve steps, four of them warm-up, with a pencil, and compare.",
)
def lr_example(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the twelve rates of the example are right."""
    return judged_table(evidence["main"], EXAMPLE)


# make_scheduler


def secret_rate(ctx: Context) -> float:
    """The rate that the schedules start from."""
    return round(float(ctx.rng("make_scheduler").uniform(0.05, 0.9)), 4)


def traces(ctx: Context) -> ProbeRequest:
    """Ask for the rates of every schedule."""
    args = {
        "names": list(NAMES),
        "lengths": [list(length) for length in LENGTHS],
        "lr": secret_rate(ctx),
        "unknown": UNKNOWN,
    }
    return probe("traces", args)


@check(
    main=traces,
    bugs=("missing_name", "wrong_value"),
    help="A scheduler holds an optimizer and changes its rate each time it is told to step.",
)
def schedulers_made(ctx: Context, main: Evidence) -> Outcome:
    """Each of the three names gives something that can step; another name is refused."""
    done = require(main)
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
