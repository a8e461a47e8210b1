"""The check of `train_mnist`: whether what it makes is meant for each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.checks.base import Context, check, require
from autograder.checks.forms import ProgramForm
from autograder.checks.reference.objective import loss
from autograder.checks.reference.replay import Replay
from autograder.model import Evidence, Outcome, ProbeRequest

RATE, BATCH, SETUP_EPOCHS = 1e-3, 64, 2


def _setup(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = ProgramForm("", {})
    plain = form.request(ctx)
    call = {"function": "train_mnist", "arguments": ["data", SETUP_EPOCHS, ctx.seed]}
    args = {**plain.args, "call": call}
    return {"main": ProbeRequest(plain.probe, args, plain.tensors, plain.start)}


@check(
    requests=_setup,
    bugs=("missing_name", "stale_optimizer", "lr_too_high", "lr_too_low"),
    help="Model, loss, optimizer and loaders are made once, and meant for each other.",
)
def train_setup(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The optimizer that steps holds the network that runs, and its rate lets the loss fall."""
    done = require(evidence["main"])
    if "calls" not in done.data:
        return Outcome.failed("train_mnist returned no network, and trained none")
    replay = ProgramForm("", {}).read(ctx, done)
    if not replay.calls:
        return Outcome.not_checked("not checked: train_mnist trained no network")
    total = len(replay.shapes)
    met = bool(replay.holders) or bool(replay.strangers)
    if met and total and len(replay.held) < total:
        return Outcome.failed(
            f"of the {total} parameters of the model that train_mnist trains, "
            f"{total - len(replay.held)} are not the optimizer's: its steps do not reach them",
            "stale_optimizer",
        )
    if replay.steps and replay.frozen and not replay.still:
        return Outcome.failed(
            f"of the {total} parameters of the model that train_mnist trains, "
            f"{len(replay.frozen)} never moved",
            "stale_optimizer",
        )
    return _setup_rate(replay)


def _setup_rate(replay: Replay) -> Outcome:
    optimizer = str(replay.holders[0].get("type", "")) if replay.holders else ""
    optimizer = "" if optimizer == "SGD" else optimizer
    rates = [s.rates[0] for s in replay.steps if s.rates] or replay.effective_rates()[0]
    rates = rates or _made_rates(replay)
    fell = _fall(replay)
    if not rates:
        if fell is not None and fell[1] < 0.93 * fell[0]:
            return Outcome.passed("the loss falls, without an optimizer of torch's")
        return Outcome.not_checked("not checked: no step of train_mnist could be explained")
    low, high = (1e-3, 1.0) if not optimizer else (1e-4, 2e-2)
    bug = "lr_too_low" if max(rates) < low else "lr_too_high" if min(rates) > high else ""
    if not bug or fell is None:
        return Outcome.passed(f"steps at a rate of {rates[0]:.3g}")
    first, last = fell
    if bug == "lr_too_low" and last < 0.9 * first:
        return Outcome.passed(f"at a rate of {rates[0]:.3g} the loss falls all the same")
    if bug == "lr_too_high" and last < 0.5 * first:
        return Outcome.passed(f"at a rate of {rates[0]:.3g} the loss falls all the same")
    return Outcome.failed(
        f"at a learning rate of {rates[0]:.3g} the loss went from {first:.4g} to {last:.4g} in "
        f"{len(replay.trained)} steps",
        bug,
    )


def _made_rates(replay: Replay) -> list[float]:
    """The rates of optimizers that were made and never stepped."""
    groups = [g for o in replay.holders for g in o.get("groups") or [] if isinstance(g, Mapping)]
    return [float(g["lr"]) for g in groups if isinstance(g.get("lr"), float)]


def _fall(replay: Replay) -> tuple[float, float] | None:
    """The first batch's loss and the mean of the last three that were seen."""
    import torch

    values = [
        float(loss("cross_entropy", torch.from_numpy(c.answers), torch.from_numpy(c.labels)))
        for c in replay.trained
        if c.answers is not None and c.labels is not None
    ]
    return (values[0], float(np.mean(values[-3:]))) if len(values) > 3 else None
