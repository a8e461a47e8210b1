"""Probes of learning-rate schedules: `lr_at`, `make_scheduler`, and the beat of `train_epoch`.

A schedule is a table of rates, so it is read off by driving it: an optimizer that holds one
idle parameter steps, the scheduler moves, and the rate of every step is noted.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import register_optimizer_step_pre_hook

from ..plain import finite, number
from ..program import Program
from .nets import Diary, Net, WatchedSGD, loader

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

    args further: epochs, steps_per_epoch, lr, unknown (a name that is to be refused). Returns
    `schedules`: {name: {"kind", "rates"}}, where `kind` is the returned type's name and rates
    are left out where it is no scheduler; `refused`: the name of the exception that the
    unknown name raised, or "".
    """
    function = program.get("make_scheduler")
    told: dict[str, Any] = {}
    for name in args["names"]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"], momentum=0.9)
        made = function(name, optimizer, args["epochs"], args["steps_per_epoch"])
        told[name] = {"kind": type(made).__name__[:80]}
        if not callable(getattr(made, "step", None)):
            continue
        rates: list[float | str] = []
        for _ in range(args["epochs"]):
            for _ in range(args["steps_per_epoch"]):
                rates.append(finite(float(optimizer.param_groups[0]["lr"])))
                optimizer.step()
                if name == PER_BATCH:
                    made.step()
            if name != PER_BATCH:
                made.step()
        told[name]["rates"] = rates[:CAP]
    refused = ""
    try:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"])
        function(args["unknown"], optimizer, args["epochs"], args["steps_per_epoch"])
    except Exception as e:
        refused = type(e).__name__[:80]
    return {"schedules": told, "refused": refused}, {}


def epochs(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`train_epoch` called for `args["epochs"]` epochs, under a schedule of secret factors.

    args: per_batch, factors (what the rate is multiplied by after each move of the
    schedule), batch, lr, smoothing, epochs, seed. tensors: those of a net, images, labels.
    Returns the diary, the rate at every step (`rates`), and for each epoch the list that was
    returned (`lists`, None where it is no list); tensor `weights` (epochs + 1, P).
    """
    function = program.get("train_epoch")
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = Net(tensors, diary).train()
    optimizer = WatchedSGD(net.parameters(), lr=args["lr"])
    optimizer.watched(net, diary)
    rates: list[float | str] = []

    def before(stepping: Any, *_: Any) -> None:
        if stepping is optimizer and len(rates) < CAP:
            rates.append(finite(float(optimizer.param_groups[0]["lr"])))

    register_optimizer_step_pre_hook(before)
    factors = args["factors"]
    scheduler = LambdaLR(optimizer, lambda moves: factors[min(moves, len(factors) - 1)])
    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=args["smoothing"])
    seen = [net.vector()]
    lists: list[list[dict[str, Any]] | None] = []
    for _ in range(args["epochs"]):
        value = function(net, batches, loss_fn, optimizer, scheduler, args["per_batch"])
        seen.append(net.vector())
        if isinstance(value, Tensor):
            value = value.tolist()
        is_list = isinstance(value, (list, tuple))
        lists.append([number(v) for v in value[:CAP]] if is_list else None)
    return {"rates": rates, "lists": lists, **diary.report()}, {"weights": torch.stack(seen)}
