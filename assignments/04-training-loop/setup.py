"""The check of `train_mnist`: whether its parts are meant for each other, and train as asked."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checks.base import Context, check, require
from autograder.checks.forms import ProgramForm
from autograder.checks.programs import batches_of, epochs_of, new_order, open_rate
from autograder.checks.reference.replay import Replay
from autograder.model import Evidence, Json, Outcome, ProbeRequest, Status

RATE, BATCH, SETUP_EPOCHS = 1e-3, 64, 2
DEFAULT_EPOCHS = 5
"""What `train_mnist` does when nobody says how many; it is asked where all else is right."""


def _setup(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = ProgramForm("", {})
    plain = form.request(ctx)

    def asked(*arguments: Json) -> ProbeRequest:
        call = {"function": "train_mnist", "arguments": ["data", *arguments]}
        args = {**plain.args, "call": call}
        return ProbeRequest(plain.probe, args, plain.tensors, plain.start)

    return {"main": asked(SETUP_EPOCHS, ctx.seed), "default": asked()}


@check(
    requests=_setup,
    bugs=(
        "missing_name",
        "stale_optimizer",
        "lr_too_high",
        "lr_too_low",
        "wrong_value",
        "train_not_shuffled",
    ),
    help="Model, loss, optimizer and loaders are made once, and meant for each other. Adam's rate "
    "is 1e-3, a batch has 64 images, shuffled, and `epochs` says how often all of them are seen: "
    "five times, where nobody says it.",
)
def train_setup(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The optimizer that steps holds the network that runs, at the rate asked for; batches have the
    size asked for and are shuffled, and epochs are as many as the caller says, or five.
    """
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
    rate = open_rate(replay, RATE, "Adam")
    if rate.status is Status.FAILED:
        return rate
    return _as_called(replay, SETUP_EPOCHS) or _by_default(ctx, evidence["default"]) or rate


def _by_default(ctx: Context, evidence: Evidence) -> Outcome | None:
    """What is wrong with a call that leaves the epochs out, or None."""
    if evidence.status != "done" or "calls" not in evidence.data:
        return None  # the call before it was right: what became of this one is another check's
    return _as_called(ProgramForm("", {}).read(ctx, evidence), DEFAULT_EPOCHS)


def _as_called(replay: Replay, epochs: int) -> Outcome | None:
    """What is wrong with batches, epochs and order of the call, or None; half of the points stay,
    as such a program learns. Where another call than ours trained the network, nothing is known.
    """
    inside = [s for s in replay.spans if s.function == "train_mnist"]
    trained = [c for c in replay.trained if any(s.first <= c.index < s.last for s in inside)]
    if len(trained) < len(replay.trained):
        return None
    asked = (
        batches_of(trained, BATCH),
        epochs_of(replay, trained, epochs),
        new_order(replay, once=True),  # the handout does not say: anew in each epoch
    )
    for found in asked:
        if found.status is Status.FAILED:
            return Outcome.partial(0.5, found.message, *found.bugs)
    return None
