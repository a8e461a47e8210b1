"""Judges of what two starts of a program have in common, and of how it wired its optimizer.

Two fresh processes, whose generators were set differently from outside, run the program up to a
few optimizer steps. Where it seeds everything it draws from, the weights before the first step
and after each one agree; the first that does not tells initialisation from the order of batches.
The same evidence shows whose parameters the optimizer held when it first stepped, which a replay
with our own objects cannot see; and the record of the whole run, whether it still did when the
program had made its model anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import Context, Inconclusive, StandardCheck, field_of, place, require

STEPS = 4
RELATIVE = 1e-5
"""Two equal runs agree to the bit on one machine; this allows for another order of summation."""


def start_request(ctx: Context, which: int = 0) -> ProbeRequest:
    """The first steps of the program, under outside seed number `which`."""
    seed = int(ctx.rng(f"seeding/{which}").integers(2**31))
    return ProbeRequest("wholerun:first_steps", {"seed": seed, "steps": STEPS}, start="fresh")


def _twice(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": start_request(ctx, 0), "again": start_request(ctx, 1)}


def _wiring(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": start_request(ctx, 0), "whole": ProbeRequest("wholerun:renewed")}


def stopped(evidence: Evidence) -> Inconclusive:
    """The outcome of a check whose run of the program never reached its first step."""
    error = evidence.data.get("error")
    if not isinstance(error, Mapping):
        return Inconclusive(Outcome.failed("the program ended without one optimizer step"))
    kind, message = str(error.get("type"))[:100], str(error.get("message"))[:300]
    line = place(error)
    if kind == "NotImplementedError":
        return Inconclusive(
            Outcome.failed(f"not written yet: the program stops{line} with NotImplementedError")
        )
    words = f"the program stopped{line} before its first step: {kind}: {message}"
    return Inconclusive(Outcome(Status.ERROR, 0.0, (), words))


def _figures(evidence: Evidence) -> list[Any]:
    done = require(evidence)
    figures: list[Any] = field_of(done, "figures", list)
    if not figured(figures):
        raise stopped(done)
    return figures


def figured(figures: Any) -> bool:
    """Whether a nest of lists holds a number: a model without a weight has nothing to compare."""
    if isinstance(figures, list):
        return any(map(figured, figures))
    return isinstance(figures, (int, float))


def _equal(a: Any, b: Any) -> bool:
    """Nested lists of figures, equal up to `RELATIVE`."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=RELATIVE)
    return bool(a == b)


def _judge_seeding(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    first, second = _figures(evidence["main"]), _figures(evidence["again"])
    for k, (a, b) in enumerate(zip(first, second, strict=False)):
        if not _equal(a, b):
            what = (
                "the weights differed before the first step"
                if k == 0
                else f"they began with the same weights and differed from step {k} on"
            )
            return Outcome.failed(f"the program was started twice: {what}", "incomplete_seeding")
    if len(first) != len(second):
        return Outcome.failed(
            f"the program was started twice: it took {len(first) - 1} steps, then "
            f"{len(second) - 1}",
            "incomplete_seeding",
        )
    return Outcome.passed(f"two starts agreed over {len(first) - 1} steps")


def _judge_wiring(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    main = require(evidence["main"])
    wired = main.data.get("wired")
    if not isinstance(wired, Mapping):
        if isinstance(main.data.get("error"), Mapping):
            raise stopped(main)
        return Outcome.failed(
            "there is no global 'model' with a global 'optimizer' from torch.optim", "missing_name"
        )
    total, held, frozen = (wired.get(k) for k in ("parameters", "held", "frozen"))
    if not all(isinstance(x, int) for x in (total, held, frozen)) or not total:
        return Outcome.not_checked("not checked: 'model' lists no parameters")
    if held != total:
        return Outcome.failed(
            f"at its first step the optimizer held {held} of the {total} parameter tensors of "
            f"'model'",
            "stale_optimizer",
        )
    if frozen:
        return Outcome.failed(
            f"{frozen} of the {total} parameter tensors of 'model' have requires_grad=False",
            "stale_optimizer",
        )
    return _judge_renewed(evidence["whole"]) or Outcome.passed()


def _judge_renewed(whole: Evidence) -> Outcome | None:
    """What is wrong with the optimizer of a model that was made anew, if anything is."""
    told = whole.data.get("renewed") if whole.status == "done" else None
    if not isinstance(told, Mapping):
        return None
    total, held, steps = (told.get(k) for k in ("parameters", "held", "steps"))
    if not (isinstance(total, int) and isinstance(held, int) and isinstance(steps, int)):
        return None
    if held >= total:
        return None
    return Outcome.failed(
        f"'model' was made anew after {steps} steps, and the optimizer that went on holds {held} "
        f"of its {total} parameter tensors",
        "stale_optimizer",
    )


CHECKS = (
    StandardCheck(
        "seeding",
        _twice,
        _judge_seeding,
        "Two runs agree when every generator is set before it is first drawn from: Python's, "
        "NumPy's, torch's. The first draw of a training program is the weights' initialisation, so "
        "the seed comes before the model.",
        ("incomplete_seeding",),
    ),
    StandardCheck(
        "optimizer_wiring",
        _wiring,
        _judge_wiring,
        "An optimizer changes the tensors it was given when it was built, and no others. Build it "
        "after the model that is trained, from that model's parameters.",
        ("stale_optimizer", "missing_name"),
    ),
)
