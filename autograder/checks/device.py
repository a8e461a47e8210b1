"""The judge of device placement, on a machine that only seems to have an accelerator.

The program runs a few batches while `torch.cuda.is_available()` says yes and tensors on `cuda`
are simulated; mixing devices raises PyTorch's own error. The simulation knows fewer operations
than the real thing, so it may only accuse where the error is one of devices; anything else it
stumbles over says nothing about the student.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import Context, StandardCheck, field_of, place, require
from .seeding import figured, start_request

BATCHES = 2
_MIXED = re.compile(
    r"same device|found at least two devices|device type tensor to numpy|"
    r"Input type .* and weight type|is on cpu|Attempting to deserialize object on a CUDA device",
    re.IGNORECASE | re.DOTALL,
)


def accelerated_request() -> ProbeRequest:
    """The program's own run over a few batches, with an accelerator that is simulated."""
    return ProbeRequest("wired:accelerated", {"batches": BATCHES}, start="fresh")


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": accelerated_request(), "plain": start_request(ctx, 0)}


def _judge(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    plain = evidence["plain"]
    healthy = plain.status == "done" and figured(plain.data.get("figures"))
    if evidence["main"].status != "done" and healthy:
        return Outcome.passed("not exercised: the simulated accelerator could not run this program")
    main = require(evidence["main"])
    error = main.data.get("error")
    if isinstance(error, Mapping):
        kind, message = str(error.get("type"))[:100], str(error.get("message"))[:300]
        line = place(error)
        if kind != "UnsupportedOnSimulator" and _MIXED.search(message) and "meta" not in message:
            return Outcome.failed(
                f"with an accelerator there, the program stopped{line}: {message}", "wrong_device"
            )
        if not healthy:
            words = f"the program stopped{line} before devices could meet: {kind}: {message}"
            if kind == "NotImplementedError":
                return Outcome.failed(f"not written yet: {words}")
            return Outcome(Status.ERROR, 0.0, (), words)
    devices = field_of(main, "devices", list)
    if devices == ["cpu"]:
        return Outcome.failed(
            "with an accelerator there, the weights were still on the CPU at the first step",
            "wrong_device",
        )
    if isinstance(error, Mapping):
        return Outcome.passed(
            "not exercised to the end: the simulated accelerator could not run all of this program"
        )
    if not devices:
        return Outcome.failed("the program ended without one step on the accelerator")
    return Outcome.passed()


CHECKS = (
    StandardCheck(
        "device_placement",
        _requests,
        _judge,
        "Everything that meets in one operation must be on one device: the model once, every batch "
        "of images and labels as it comes. On a machine without an accelerator a forgotten move "
        "stays invisible, so this was tried with a simulated one.",
        ("wrong_device",),
    ),
)
