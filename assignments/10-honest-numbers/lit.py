"""Judges of the Lightning module and of `run_lightning`."""

from __future__ import annotations

import numpy as np

from autograder.checks.base import Context, Inconclusive, check, field_of, probe, require, tensor_of
from autograder.checks.reference.replay import number_of
from autograder.model import Array, Evidence, Outcome, ProbeRequest

from .public_checks import fractions, play, played
from .runs import (
    BATCH,
    RATE,
    SEEDS,
    elsewhere,
    falls,
    grown,
    recipe,
    repeated,
    split,
    usual,
    worked,
)

ROWS, HIDDEN = 12, 16
SPREAD = 4.0
"""Deviations that Lightning's accuracies may lie from those of `run`."""
LEAST = 0.03
"""What a deviation counts as at least: five runs measure it badly, in steps of 0.01."""
REPEATS = (3, 4, 5, 6, 7)
FUNCTION = "run_lightning"


def _step(ctx: Context) -> ProbeRequest:
    rng = ctx.rng("lit", shared=True)
    x = rng.uniform(0, 1, (ROWS, 1, 28, 28)).astype(np.float32) * 3
    args = {"hidden": HIDDEN, "seed": ctx.seed}
    return probe("lit_step", args, {"x": x, "y": rng.integers(0, 10, ROWS)})


def cross_entropy(logits: Array, classes: Array) -> float:
    """The mean of -log softmax at the classes. logits: (N, 10); classes: (N,)."""
    shifted = logits - logits.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return float(-logs[np.arange(len(classes)), classes].mean())


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_shape",
        "sum_instead_of_mean",
        "softmax_before_cross_entropy",
    ),
    help="The loss of a batch is the cross-entropy of its raw logits, the mean over the batch.",
    main=_step,
)
def lit_loss(ctx: Context, main: Evidence) -> Outcome:
    """Whether a backward pass begins from the cross-entropy of what `LitMLP` answers."""
    done, asked = require(main), _step(ctx)
    loss = number_of(done.data.get("loss"))
    if not np.isfinite(loss):
        return Outcome.failed("one batch led to no backward pass from a finite loss", "wrong_value")
    logits = tensor_of(done, "logits")
    if logits.shape != (ROWS, 10):
        return Outcome.failed(f"{ROWS} images gave answers of shape {logits.shape}", "wrong_shape")
    classes = asked.tensors["y"]
    right = cross_entropy(logits, classes)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    odds /= odds.sum(1, keepdims=True)
    ways = (
        (right, ""),
        (cross_entropy(odds, classes), "softmax_before_cross_entropy"),
        (right * ROWS, "sum_instead_of_mean"),
    )
    for value, bug in ways:
        if abs(loss - value) <= 1e-4 * max(1.0, value):
            said = f"the loss of a batch is {loss:.4f}, its cross-entropy {right:.4f}"
            return Outcome.failed(said, bug) if bug else Outcome.passed()
    said = f"the loss of a batch is {loss:.4f}, and its cross-entropy {right:.4f}"
    return Outcome.failed(said, "wrong_value")


def _several(ctx: Context) -> ProbeRequest:
    first = SEEDS[0]
    return play(ctx, FUNCTION, [usual(first), usual(first), *map(usual, SEEDS[1:])])


def _by_hand(ctx: Context) -> ProbeRequest:
    """What the reference's `run` is asked for, to know its spread."""
    return play(ctx, "run", [usual(seed) for seed in REPEATS])


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "saves_last_not_best",
        "missing_zero_grad",
        "selects_on_test",
        "split_overlap",
        "lr_too_high",
        "lr_too_low",
    ),
    help="The same split, optimizer and batches as in `run`, and the best accuracy of all epochs.",
    expects=lambda ctx: [_by_hand(ctx)],
    main=_several,
    more=lambda ctx: grown(ctx, FUNCTION),
)
def lit_accuracy(ctx: Context, main: Evidence, more: Evidence) -> Outcome:
    """Whether Lightning's accuracies are those of the same training by hand."""
    calls = played(main, len(SEEDS) + 1)
    found = np.array(list(fractions(FUNCTION, calls, main)))[[0, 2, 3]]
    for one in calls:
        worked(FUNCTION, one)
        if fault := split(FUNCTION, one) or recipe(one, [("AdamW", RATE)], BATCH):
            return fault
    right = ctx.right(_by_hand(ctx))
    hand = np.array(list(fractions("run", played(right, len(REPEATS)), right)))
    most = SPREAD * max(float(hand.std(ddof=1)), LEAST)
    if abs(float(found.mean() - hand.mean())) > most:
        return Outcome.failed(
            f"{len(found)} seeds reach {found.mean():.3f} on average, by hand they reach "
            f"{hand.mean():.3f} with a deviation of {hand.std(ddof=1):.3f}",
            "wrong_value",
        )
    return falls(FUNCTION, more) or Outcome.passed()


@check(
    bugs=("missing_name", "wrong_value", "wrong_accuracy", "incomplete_seeding"),
    help="The same seed gives the same number, and no file is left behind.",
    main=_several,
    other=lambda ctx: elsewhere(ctx, FUNCTION),
)
def lit_repeats(ctx: Context, main: Evidence, other: Evidence) -> Outcome:
    """Whether the same seed gives the same number, and nothing is left in the folder."""
    fault = repeated(FUNCTION, played(main, len(SEEDS) + 1), main, other)
    if fault is not None:
        return fault
    files = field_of(require(main), "files", list)
    assert isinstance(files, list)
    if files:
        raise Inconclusive(
            Outcome.failed(
                f"{FUNCTION} leaves behind: {', '.join(map(str, files))[:80]}", "wrong_value"
            )
        )
    return Outcome.passed()


__all__ = ["lit_accuracy", "lit_loss", "lit_repeats"]
