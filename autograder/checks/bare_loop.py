"""Checks of a bare script's loop: what its first steps were made of.

The steps are recomputed outside (`bare_steps`), whoever took them: an optimizer, or arithmetic on
the weights. The order of the events that were seen is testimony; it names the cause where no
weight moved, and no point rests on it.
"""

from __future__ import annotations

import re

import numpy as np

from ..model import Evidence, Outcome, Status
from .bare_reading import BareReading, bare_check, read_bare, stopped
from .bare_steps import Steps
from .base import Context, Inconclusive, StandardCheck

AGAIN = 0.985
"""A used gradient that counts as much as a fresh one was not cleared; momentum fades faster."""
ALONG = 0.95
"""Cosine to the true descent from which an unexplained step counts as a variation of it."""
PLAIN = 0.03
"""Relative: how well a rate must agree with the one asked for."""


UNMATCHED = (
    "what the network was trained on could not be matched with the training images of the data "
    "folder"
)


def steps_of(reading: BareReading, evidence: Evidence) -> Steps:
    """The explained early steps; `Inconclusive` where there is nothing to recompute."""
    steps = reading.steps
    if steps is None:
        raise Inconclusive(
            stopped(evidence)
            or Outcome.not_checked("not checked: no step of this network could be computed again")
        )
    if not reading.tied:
        raise Inconclusive(Outcome.failed(UNMATCHED))
    return steps


def orderly(reading: BareReading, steps: Steps) -> bool:
    """Unexplained steps that go down the true gradient, one for each backward pass."""
    return steps.along > ALONG and all(steps.moved)


def leads(steps: Steps, batch: int) -> tuple[list[float], list[int]]:
    """For each step that was taken, the weight of the gradients it used for the first time, and
    how many images these are of. The weights of small batches that make one of `batch` together
    add up; those of whole batches in one step are averaged.
    """
    used, spent = steps.used, np.zeros(len(steps.rows), dtype=bool)
    found: list[float] = []
    rows: list[int] = []
    for k, moved in enumerate(steps.moved):
        fresh = used[k] & ~spent
        if not moved or not fresh.any():
            continue
        count = int(np.array(steps.rows)[fresh].sum())
        weights = steps.coefficients[k, fresh]
        found.append(float(weights.sum() if count <= batch else weights.mean()))
        rows.append(count)
        spent |= used[k]
    return found, rows


def summed(steps: Steps, rate: float, batch: int) -> bool:
    """Whether steps grow with the number of images in the batch, as those of a sum do; a sum over
    the usual number of images is a mean.
    """
    values, rows = map(np.array, leads(steps, batch))
    if not len(values):
        return False
    each = values / rows
    if rows.min() < 0.95 * rows.max():
        grows = np.ptp(each) < 0.01 * np.abs(each).max() and np.ptp(values) > 0.03 * values.max()
        return bool(grows and abs(each.mean() * batch / rate - 1) > PLAIN)
    return bool(abs(each.mean() / rate - 1) < PLAIN)


def _zero(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    steps = steps_of(reading, main)
    if not any(steps.moved):
        return Outcome.not_checked("not checked: no weight moved, so nothing can be seen of it")
    if not steps.known:
        if orderly(reading, steps):
            return Outcome.passed("another path than the plain loop's, down the true gradient")
        return Outcome.not_checked("not checked: the steps are made of no gradient we can compute")
    used, c = steps.used, steps.coefficients
    spent = np.zeros(len(steps.rows), dtype=bool)
    for k, moved in enumerate(steps.moved):
        own = np.flatnonzero(used[k])
        if moved and len(own):
            last = own[-1]
            old = [j for j in own[:-1] if spent[j]]
            if old and c[k, old[-1]] / c[k, last] > AGAIN and not steps.optimizer:
                many = ", ".join(str(j + 1) for j in old)
                return Outcome.failed(
                    f"step {k + 1} was made of the gradients of batch {last + 1} and, once more, "
                    f"of batch {many}, which an earlier step had used up",
                    "missing_zero_grad",
                )
            spent |= used[k]
    return Outcome.passed()


def _untouched(reading: BareReading, steps: Steps | None) -> Outcome:
    """No weight moved: the order of events says which beat is missing or misplaced."""
    letters, count = reading.letters, len(reading.trained)
    taken = letters.count("s") + letters.count("n")
    if "b" not in letters:
        bugs = ("missing_backward",) if taken else ("missing_backward", "missing_step")
        return Outcome.failed(
            f"no weight moved in {count} batches: no backward pass ever reached the network's "
            f"output" + ("" if taken else ", and no step was taken"),
            *bugs,
        )
    held = max((o["held"] for o in reading.optimizers if isinstance(o.get("held"), int)), default=0)
    if taken and not held:
        return Outcome.failed(
            "no weight moved: the optimizer stepped, but holds not one parameter of the network",
            "stale_optimizer",
        )
    if not taken:
        return Outcome.failed(
            f"no weight moved: {count} batches, {letters.count('b')} backward passes seen, and no "
            f"step",
            "missing_step",
        )
    if re.search("f[ns]+b", letters):
        return Outcome.failed(
            "no weight moved: each step came before the backward pass of its batch, and found no "
            "gradient",
            "step_before_backward",
        )
    if "s" in letters:
        return Outcome.failed("no weight moved, although steps were taken with gradients there")
    return Outcome.failed(
        "no weight moved: the backward passes made gradients, and at each step they were gone",
        "zero_grad_after_backward",
    )


def _beats(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    error = stopped(main)
    inplace = error is not None and "modified by an inplace operation" in error.message
    if inplace and re.search("fs+b?$", reading.letters):
        return Outcome.failed(
            "a step changed the weights between the forward and the backward pass of a batch, "
            "and the backward pass, which needed them as they were, raised",
            "step_before_backward",
        )
    outcome = _order(ctx, reading, main)
    # A loop that broke off in the middle of a beat says nothing against the beats; one that
    # ended, and a forward call followed it, is told by all it did.
    ended = len(reading.trained) > 0 and reading.trained[-1] < len(reading.calls) - 1
    return error if error and outcome.status is not Status.PASSED and not ended else outcome


def _order(ctx: Context, reading: BareReading, main: Evidence) -> Outcome:
    """What the loop did with its beats, whatever became of the program afterwards."""
    if not reading.calls[:, 1].any():
        return _untouched(reading, None)
    steps = steps_of(reading, main)
    if not any(steps.moved):
        return _untouched(reading, steps)
    if not all(steps.blocks):
        still = steps.blocks.count(False)
        return Outcome.failed(
            f"{still} of the {len(steps.blocks)} parameters of the network never moved",
            "stale_optimizer",
        )
    if not steps.known:
        if orderly(reading, steps):
            return Outcome.passed("another path than the plain loop's, down the true gradient")
        return Outcome.failed(
            f"the first {len(steps.rows)} steps are no combination of the batches' gradients "
            f"({steps.residual:.0%} of them is left over)"
        )
    if steps.optimizer:
        return Outcome.passed()
    used = steps.used
    late = [
        k
        for k, m in enumerate(steps.moved)
        # weights put back to what they were go up the gradients of the steps that are undone
        if m and used[k].any() and not used[k, k] and steps.coefficients[k].sum() > 0
    ]
    if late:
        return Outcome.failed(
            f"step {late[0] + 1} was made of the gradients of batch "
            f"{np.flatnonzero(used[late[0]])[-1] + 1}: it came before the backward pass of its own "
            f"batch",
            "step_before_backward",
        )
    return _every_batch(ctx, reading, steps)


def _every_batch(ctx: Context, reading: BareReading, steps: Steps) -> Outcome:
    """Whether each batch, or each group of small batches that make one, had its step."""
    waiting, want = 0, int(ctx.option("batch", 256))
    begun = False
    for k, moved in enumerate(steps.moved):
        begun = begun or moved or bool(steps.used[:, k].any())
        # a gradient that was looked at before the training is waited for by no step
        waiting += steps.rows[k] if begun else 0
        if not moved and waiting >= want:
            return Outcome.failed(
                f"{sum(steps.moved)} of the first {len(steps.moved)} batches were followed by a "
                f"step",
                "missing_step",
            )
        waiting = 0 if moved else waiting
    small = np.isfinite(reading.final).all() and np.abs(reading.final).max() < 100
    if _last_unused(reading) and small and all(steps.moved):
        return Outcome.failed(
            "each batch's gradients were used one batch later, and the last one's never: the step "
            "comes before the backward pass",
            "step_before_backward",
        )
    return Outcome.passed()


def _last_unused(reading: BareReading) -> bool:
    """Whether the last batch of the training was followed by no step. It was one of the training if
    its images came as often as the others did, and not once more, to look at their gradient; and
    an optimizer must have stepped before the first forward pass.
    """
    after = reading.trained[reading.trained > reading.loop[-1]]
    letters = reading.letters
    if not len(after) or (set(letters) & {"s", "n"} and letters[0] not in "sn"):
        return False
    last = int(after[0])
    told = [np.round(reading.prints[i], 6) for i in reading.trained if i < len(reading.prints)]
    if last >= len(reading.prints):
        return True
    images, counts = np.unique(np.concatenate(told), return_counts=True)
    its = counts[np.searchsorted(images, np.round(reading.prints[last], 6))]
    return bool(np.median(its) == np.median(counts))


_SAID = {
    "softmax": ("softmax_before_cross_entropy", "of a cross-entropy that is given probabilities"),
    "softmax_nll": ("softmax_into_nll", "of a negative log-likelihood given plain probabilities"),
    "raw_nll": ("wrong_value", "of a negative log-likelihood given raw scores"),
    "mse": ("wrong_value", "of a squared error"),
}


def _objective(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    steps = steps_of(reading, main)
    if not any(steps.moved):
        return Outcome.not_checked("not checked: no weight moved, so no gradient can be seen")
    if not steps.known:
        if orderly(reading, steps):
            return Outcome.passed("another path than the plain loop's, down the true gradient")
        return Outcome.not_checked("not checked: the steps are made of no gradient we can compute")
    if steps.objective in _SAID:
        bug, words = _SAID[steps.objective]
        return Outcome.failed(
            f"the first {len(steps.rows)} steps follow, to within {steps.residual:.0e}, the "
            f"gradient {words}",
            bug,
        )
    rate, batch = float(ctx.option("rate", 0.1)), int(ctx.option("batch", 256))
    if not steps.optimizer and summed(steps, rate, batch):
        values, rows = leads(steps, batch)
        return Outcome.failed(
            f"the steps are {values[0] / rate:.3g} times as long as the mean's gradient asks for, "
            f"with {rows[0]} images in the batch: the loss is summed, not averaged",
            "sum_instead_of_mean",
        )
    return Outcome.passed()


def _rate(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    steps, want = steps_of(reading, main), float(ctx.option("rate", 0.1))
    batch = int(ctx.option("batch", 256))
    values, rows = leads(steps, batch)
    if not values:
        return Outcome.not_checked("not checked: no step was taken")
    if not steps.known:
        if orderly(reading, steps):
            return Outcome.passed("another path than the plain loop's, down the true gradient")
        return Outcome.not_checked("not checked: the steps are made of no gradient we can compute")
    if steps.optimizer:
        return Outcome.failed(
            f"the steps are those of {steps.optimizer}, with a rate of {abs(values[0]):.2g}; plain "
            f"gradient descent with {want:g} is asked for",
            "wrong_value",
        )
    if summed(steps, want, batch):
        values = [v / n for v, n in zip(values, rows, strict=True)]
    low, high = min(values), max(values)
    c, used = steps.coefficients, steps.used
    momentum = len(c) > 1 and used[1, 0] and used[1, 1] and c[1, 0] / c[1, 1] < AGAIN
    slack = 1.0 if momentum else PLAIN
    if low * (1 - slack / 2) <= want * (1 + PLAIN) and high * (1 + slack) >= want * (1 - PLAIN):
        return Outcome.passed(f"the steps are {low:.3g} to {high:.3g} times the gradient")
    told = f"the steps are {low:.3g} times the gradient"
    if high - low > PLAIN * abs(high) or steps.clipped:
        told = f"the steps are {low:.3g} to {high:.3g} times the gradient"
        if high >= want / 10 and high < want:
            return Outcome.passed(f"{told}: clipped, or warmed up")
    bug = "lr_too_high" if low > want else "lr_too_low"
    return Outcome.failed(f"{told}; a rate of {want:g} is asked for", bug)


CHECKS: tuple[StandardCheck, ...] = (
    bare_check(
        "bare_zero_grad",
        _zero,
        "Gradients add up in `.grad` until they are cleared.",
        "missing_zero_grad",
    ),
    bare_check(
        "bare_beats",
        _beats,
        "Zero, forward, loss, backward, step: each once per batch, in this order.",
        "zero_grad_after_backward",
        "step_before_backward",
        "missing_backward",
        "missing_step",
        "stale_optimizer",
    ),
    bare_check(
        "bare_objective",
        _objective,
        "Cross-entropy takes raw logits and labels, and is averaged over the batch.",
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "sum_instead_of_mean",
        "wrong_value",
    ),
    bare_check(
        "bare_rate",
        _rate,
        "Plain gradient descent moves each weight by the learning rate times its gradient, no more "
        "and no less.",
        "lr_too_high",
        "lr_too_low",
        "wrong_value",
    ),
)
