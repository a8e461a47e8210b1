"""Judges of `amp_payoff`: what it returns, which training ran in 16 bits, and on a GPU what was
timed.

The probe writes down in which order the program looked at the clock, waited for the GPU, reset and
read its counters, and called its networks. A run is told by autocast; both began with the same
weights where one run's first are among the other's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from autograder.checks.answers import Answer, read
from autograder.checks.base import Context, Inconclusive, check, probe, require
from autograder.checks.loops import raised
from autograder.model import Evidence, Outcome, ProbeRequest

from .public_checks import TRAIN, images
from .runs import numbers, trained

EPOCHS, LIMIT = 2, 606
ENTRIES = ("seconds", "peak_mb", "accuracy")
APART = 0.35
"""How far the accuracies of both trainings may lie apart: both are shares of 101 images, after few
steps, and half precision moves each step a little.
"""


def _asked(ctx: Context, device: str) -> ProbeRequest:
    args = {"epochs": EPOCHS, "limit": LIMIT, "device": device, "seed": ctx.seed % 10**6}
    return probe("payoff", args, images(ctx))


def _done(evidence: Evidence) -> Evidence:
    done = require(evidence)
    if isinstance(done.data.get("raised"), Mapping):
        raise Inconclusive(raised(done.data["raised"]))
    return done


def _refuse(said: str, bug: str = "wrong_value") -> Inconclusive:
    return Inconclusive(Outcome.failed(said, bug))


def _entries(done: Evidence, *, cuda: bool) -> Mapping[str, Mapping[str, Answer]]:
    """Both dictionaries; `Inconclusive` where one is not as asked for."""
    told = read(done.data.get("returned"), done)
    found = {}
    for name in ("fp32", "amp"):
        one = told.keys.get(name) if told.kind == "dict" else None
        if one is None or one.kind != "dict":
            raise _refuse(
                f"amp_payoff returned {told.words}; 'fp32' and 'amp' are asked for, each with a "
                f"dictionary"
            )
        for entry in ENTRIES:
            if entry not in one.keys:
                raise _refuse(f"'{name}' has no '{entry}', only {sorted(one.keys)}"[:200])
            value = one.keys[entry]
            if entry == "peak_mb" and not cuda:
                if value.kind != "none":
                    raise _refuse(f"'peak_mb' of '{name}' is {value.words} on a CPU, not None")
                continue
            number = value.numeric()
            if number is None or number.size != 1 or not np.isfinite(number).all():
                raise _refuse(f"'{entry}' of '{name}' is {value.words}, not a number")
            if entry != "accuracy" and not number.item() > 0:
                raise _refuse(f"'{entry}' of '{name}' is {value.words}: is that what it took?")
            if entry == "accuracy" and not 0 <= number.item() <= 1:
                raise _refuse(f"'accuracy' of '{name}' is {value.words}", "wrong_accuracy")
        found[name] = one.keys
    return found


def _accuracies(found: Mapping[str, Mapping[str, Answer]]) -> list[float]:
    """Those of both trainings."""
    return [float(np.asarray(found[n]["accuracy"].numeric()).item()) for n in ("fp32", "amp")]


def _trainings(done: Evidence) -> Outcome | None:
    """What is wrong with the two trainings, if they can be seen."""
    calls = trained(done.data)
    if not calls:
        return None
    half = [c for c in calls if c.get("half") is True]
    full = [c for c in calls if c.get("half") is not True]
    if not half or not full:
        which = "neither" if not half else "either"
        return Outcome.failed(
            f"autocast was on in {which} of the trainings: it makes the difference between them",
            "wrong_value",
        )
    last_is_half = calls[-1].get("half") is True
    segment = []
    for one in reversed(calls):
        if (one.get("half") is True) != last_is_half:
            break
        segment.append(round(float(one.get("at") or 0.0), 5))
    others = {round(float(c.get("at") or 0.0), 5) for c in (full if last_is_half else half)}
    if not others & set(segment):
        return Outcome.failed(
            "the second training begins with other weights than the first: set the seed anew, and "
            "make a network and an optimizer for each",
            "wrong_value",
        )
    if done.data.get("stale"):
        return Outcome.failed(
            "a backward pass added to gradients that a step had used", "missing_zero_grad"
        )
    tests = sum(n >= TRAIN for n in numbers(done.data, "asked"))
    if tests:
        said = f"amp_payoff looked at {tests} test images: they are kept for the very end"
        return Outcome.failed(said, "selects_on_test")
    return None


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "missing_zero_grad",
        "selects_on_test",
    ),
    help="Two trainings from the same seed, one under autocast; time, memory, accuracy of each.",
    main=lambda ctx: _asked(ctx, "cpu"),
)
def amp_measures(ctx: Context, main: Evidence) -> Outcome:
    """On a CPU: two trainings that differ by autocast, and what they are told to have taken."""
    done = _done(main)
    found = _entries(done, cuda=False)
    shares = _accuracies(found)
    fault = _trainings(done)
    if fault is not None:
        return fault
    apart = abs(shares[0] - shares[1])
    if apart > APART:
        return Outcome.failed(
            f"the accuracies of the same training lie {apart:.2f} apart: half precision does not "
            f"do that",
            "wrong_value",
        )
    return Outcome.passed()


# -- on a GPU --------------------------------------------------------------------------------------


def timed(clock: Sequence[str]) -> str:
    """What is wrong with how work was timed and its memory counted, by the order of looks at a
    clock, waits, resets, peaks and work; "" for nothing.
    """
    words = [w for w in clock if isinstance(w, str)]
    looks = [k for k, w in enumerate(words) if w in ("clock", "event")]
    work = [k for k, w in enumerate(words) if w in ("call", "step")]
    if not work:
        return ""
    if not looks:
        return "no clock was looked at"
    for k in looks:
        before = [w for w in words[:k] if w in ("call", "step", "wait")]
        if before and before[-1] != "wait":
            return "the clock was read before the GPU had done its work: synchronize, then look"
    resets = [k for k, w in enumerate(words) if w == "reset"]
    peaks = [k for k, w in enumerate(words) if w == "peak"]
    if len(peaks) < 2:
        return "the peak of the memory was not read once for each training"
    for first, second in pairwise(peaks):
        worked = any(first < k < second for k in work)
        if worked and not any(first < k < second for k in resets):
            return "the peak was not reset between the trainings: the second has that of the first"
    return ""


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "missing_zero_grad",
        "selects_on_test",
    ),
    help="Wait for the GPU before each look at the clock, and begin to count memory anew.",
    main=lambda ctx: _asked(ctx, "cuda"),
)
def amp_on_a_gpu(ctx: Context, main: Evidence) -> Outcome:
    """On a GPU: the same, and how time and memory were taken."""
    done = _done(main)
    found = _entries(done, cuda=True)
    fault = _trainings(done)
    if fault is not None:
        return fault
    clock = done.data.get("clock")
    said = timed(clock if isinstance(clock, list) else [])
    if said:
        return Outcome.failed(said, "wrong_value")
    shares = _accuracies(found)
    if abs(shares[0] - shares[1]) > APART:
        return Outcome.failed("the accuracies of the same training lie far apart", "wrong_value")
    return Outcome.passed()
