"""Probes of learning-rate schedules: `lr_at`, `make_scheduler`, and the beat of `train_epoch`.

A schedule is a table of rates, so it is read off by driving it: an optimizer that holds one
idle parameter steps, the scheduler moves, and the rate of every step is noted.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from ..plain import finite, number
from ..program import Program

Result = tuple[dict[str, Any], dict[str, Tensor]]
CAP = 400
PER_BATCH = "one-cycle"
"""The one schedule of the handout that moves after every batch."""


def table(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`lr_at(*call)` for each of `args["calls"]`: what each call returned."""
    function = program.get("lr_at")
    return {"returned": [number(function(*call)) for call in args["calls"]]}, {}


def traces(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """For each name of `args["names"]` the rate of every batch, driven as the handout says.

    args further: lengths ([epochs, steps_per_epoch] each), lr, unknown (a name that is to be
    refused). Returns `schedules`: {name: {"kind", "rates"}}, where `kind` is the returned type's
    name and rates, of all lengths in turn, are left out where it is no scheduler; `refused`: the
    name of the exception that the unknown name raised, or "".
    """
    function = program.get("make_scheduler")
    told: dict[str, Any] = {}
    for name, (epochs, steps_per_epoch) in itertools.product(args["names"], args["lengths"]):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"], momentum=0.9)
        made = function(name, optimizer, epochs, steps_per_epoch)
        of_it = told.setdefault(name, {"kind": type(made).__name__[:80]})
        if not callable(getattr(made, "step", None)):
            continue
        rates: list[float | str] = of_it.setdefault("rates", [])
        for _ in range(epochs):
            for _ in range(steps_per_epoch):
                rates.append(finite(float(optimizer.param_groups[0]["lr"])))
                optimizer.step()
                if name == PER_BATCH:
                    made.step()
            if name != PER_BATCH:
                made.step()
        del rates[CAP:]
    refused = ""
    try:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"])
        function(args["unknown"], optimizer, *args["lengths"][0])
    except Exception as e:
        refused = type(e).__name__[:80]
    return {"schedules": told, "refused": refused}, {}
