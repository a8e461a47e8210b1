"""Judges of `run`: the same seed and another one, what it trains, what it looks at, and which of
its accuracies it returns.

What a training looked at is known from the numbers that its images bear, and how it trained from
its optimizer's steps (`probes.py`). A program whose network is no module shows neither; then the
numbers that it returns have to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.checks.base import Context, Inconclusive, check
from autograder.model import Evidence, Outcome, ProbeRequest, Status

from .public_checks import TEST, TRAIN, answer, fraction, fractions, images, play, played

LIMIT, HELD_OUT = 606, 101
"""101 is prime, so that a share of other images is hardly ever one of these."""
EPOCHS, HIDDEN, OTHER = 2, 48, 8
BATCH, RATE, CLOSE = 128, 1e-3, 0.03
"""`CLOSE` is relative, of a rate."""
SEEDS = (3, 4, 5)
GROWN, GROWN_SEEDS, FEW = range(1, 9), (3, 4), 360
"""Epochs of the runs whose best accuracy must not fall. On images of which hardly anything can be
learnt, with noise of 180 and nine labels of ten drawn, the last one fell in 31 runs of 32.
"""
HARD = {"noise": 180.0, "mislabelled": 0.9}
NO_TEST = "they are kept for the very end"
Call = Mapping[str, Any]


def usual(seed: int, **more: Any) -> tuple[list[Any], dict[str, Any]]:
    """A call of `run` as most checks make it."""
    return [seed], {"hidden": HIDDEN, "epochs": EPOCHS, "limit": LIMIT, **more}


def several(ctx: Context, function: str = "run") -> ProbeRequest:
    """The first seed twice, with draws between, two others, and another width."""
    first, *others = SEEDS
    calls = [usual(first), usual(first), *map(usual, others), usual(first, hidden=OTHER)]
    return play(ctx, function, calls)


def elsewhere(ctx: Context, function: str = "run") -> ProbeRequest:
    """The first seed again, in another process."""
    return play(ctx, function, [usual(SEEDS[0])], turn=1)


def grown(ctx: Context, function: str = "run") -> ProbeRequest:
    """Longer and longer runs on a few hard images."""
    calls = [
        ([seed], {"hidden": 64, "epochs": k, "limit": FEW}) for seed in GROWN_SEEDS for k in GROWN
    ]
    return play(ctx, function, calls, steady=True, made=images(ctx, "hard", **HARD))


def repeated(
    function: str, calls: Sequence[Call], main: Evidence, other: Evidence
) -> Outcome | None:
    """What is wrong where one seed gave several numbers; None where it gave one."""
    worked(function, calls[0])
    first, second = fractions(function, calls[:2], main)
    (again,) = fractions(function, played(other, 1), other)
    for found, where in ((second, "after other draws"), (again, "in another process")):
        if abs(found - first) > 1e-9:
            return Outcome.failed(
                f"{function}({SEEDS[0]}) gave {first:.4f}, and {found:.4f} {where}: something is "
                f"drawn before the seed is set, or not from it",
                "incomplete_seeding",
            )
    return None


@check(
    bugs=("missing_name", "wrong_value", "wrong_accuracy", "incomplete_seeding"),
    help="Set the seed inside of `run`, before the split, the weights and the order are drawn.",
    main=several,
    other=elsewhere,
)
def run_repeats(ctx: Context, main: Evidence, other: Evidence) -> Outcome:
    """Whether the same seed gives the same number, whatever ran before."""
    calls = played(main, len(SEEDS) + 2)
    return repeated("run", calls, main, other) or Outcome.passed()


def trained(one: Call) -> list[Call]:
    """The calls of a network that were trained on."""
    return [c for c in one.get("calls") or [] if isinstance(c, Mapping)]


def numbers(one: Call, name: str) -> set[int]:
    """The numbers of the images in one of a call's lists, of all that there are."""
    found = one.get(name)
    values = found if isinstance(found, list) else []
    return {v for v in values if isinstance(v, int) and 0 <= v < TRAIN + TEST}


def optimizers(one: Call) -> list[Call]:
    """The optimizers that made steps."""
    return [o for o in one.get("optimizers") or [] if isinstance(o, Mapping)]


def worked(function: str, one: Call) -> None:
    """Raise `Inconclusive` where no optimizer made a step: nothing was trained."""
    if not optimizers(one):
        said = f"{function} returned without a step of any optimizer of PyTorch's"
        raise Inconclusive(Outcome.failed(said, "wrong_value"))


def recipe(one: Call, kinds: Sequence[tuple[str, float]], batch: int) -> Outcome | None:
    """What is wrong with how a call trained, if it can be seen: its optimizers by kind and rate,
    cleared gradients, and the size of its batches.
    """
    for found, (kind, rate) in zip(optimizers(one), kinds, strict=False):
        name, at = str(found.get("kind"))[:40], float(found.get("rate") or 0.0)
        if name != kind:
            said = f"the optimizer is {name}; {kind} is asked for"
            return Outcome.failed(said, "wrong_value")
        if abs(at / rate - 1) > CLOSE:
            bug = "lr_too_low" if at < rate else "lr_too_high"
            said = f"{kind} steps at a rate of {at:g}; {rate:g} is asked for"
            return Outcome.failed(said, bug)
    if one.get("stale"):
        return Outcome.failed(
            f"{one['stale']} times a backward pass added to gradients that a step had used",
            "missing_zero_grad",
        )
    sizes = [int(c.get("rows") or 0) for c in trained(one)]
    if sizes and optimizers(one) and max(sizes) != batch:
        return Outcome.failed(
            f"the largest batch has {max(sizes)} images; {batch} are asked for", "wrong_value"
        )
    return None


def parameters(widths: Sequence[int]) -> int:
    """How many an MLP has."""
    sizes = [784, *widths, 10]
    return sum(a * b + b for a, b in pairwise(sizes))


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "wrong_architecture",
        "missing_zero_grad",
        "lr_too_high",
        "lr_too_low",
    ),
    help="Seed and width make a difference; AdamW at 1e-3, and 128 images in a batch.",
    main=several,
)
def run_recipe(ctx: Context, main: Evidence) -> Outcome:
    """Whether another seed gives another number, and the network is the one that is asked for."""
    calls = played(main, len(SEEDS) + 2)
    worked("run", calls[0])
    found = list(fractions("run", calls, main))
    for one, width in ((calls[0], HIDDEN), (calls[-1], OTHER)):
        counts = {int(c.get("parameters") or 0) for c in trained(one)}
        if counts and parameters((width,)) not in counts:
            return Outcome.failed(
                f"with hidden={width} a network with {max(counts):,} parameters is trained; "
                f"784-{width}-10 has {parameters((width,)):,}",
                "wrong_architecture",
            )
    if not trained(calls[0]) and abs(found[0] - found[-1]) < 1e-9:
        return Outcome.failed(
            f"hidden={HIDDEN} and hidden={OTHER} give the same {found[0]:.4f}", "wrong_architecture"
        )
    if max(found[1:-1]) - min(found[1:-1]) < 1e-9:
        seeds = ", ".join(map(str, SEEDS))
        return Outcome.failed(
            f"the seeds {seeds} all give {found[0]:.4f}: a run does not depend on its seed",
            "wrong_value",
        )
    return recipe(calls[0], [("AdamW", RATE)], BATCH) or Outcome.passed()


def _noise(ctx: Context) -> ProbeRequest:
    """The first seed, with noise in place of the test images."""
    made = images(ctx)
    rng = ctx.rng("noise", shared=True)
    made["test_images"] = rng.integers(0, 256, made["test_images"].shape).astype(np.uint8)
    made["test_labels"] = rng.integers(0, 10, TEST)
    return play(ctx, "run", [usual(SEEDS[0])], turn=1, made=made)


KEPT_IMAGES = "it trained on images that it had read before, and so nobody saw which"
FOR_A_PERSON = "your program keeps the images that it read at first; a person looks at it"


def split(function: str, one: Call, limit: int = LIMIT) -> Outcome | None:
    """What is wrong with the images that a call trained on and looked at, if that can be seen."""
    asked, learnt = numbers(one, "asked"), numbers(one, "trained")
    told = one.get("trained")
    unread = isinstance(told, list) and -1 in told
    if unread and 100 * len(learnt) < limit:  # not the images below its root: an earlier run's
        raise Inconclusive(
            Outcome(Status.BY_HAND, 0.0, (), FOR_A_PERSON, flag=f"{function}: {KEPT_IMAGES}")
        )
    if tests := sum(n >= TRAIN for n in asked):
        said = f"{function} looked at {tests} of {TEST} test images: {NO_TEST}"
        return Outcome.failed(said, "selects_on_test")
    if not learnt:
        return None
    if beyond := sum(n >= limit for n in asked):
        said = f"{function} with limit={limit} used {beyond} images that come after these"
        return Outcome.failed(said, "wrong_value")
    held_out = asked - learnt
    if 6 * len(learnt) > 5 * limit + 6 or not held_out:
        return Outcome.failed(
            f"{function} trained on {len(learnt)} of {limit} images, and validated on "
            f"{len(held_out)} others: five sixths and one sixth are asked for",
            "split_overlap",
        )
    missing = limit - len(learnt) - len(held_out)
    if abs(len(held_out) - limit / 6) >= 1 or missing >= BATCH:
        return Outcome.failed(
            f"of {limit} images {function} trained on {len(learnt)} and validated on "
            f"{len(held_out)}; five sixths and one sixth are asked for",
            "wrong_value",
        )
    return None


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "selects_on_test",
        "split_overlap",
    ),
    help="Split the training images, five to one; whatever is chosen, the test images stay away.",
    main=several,
    other=elsewhere,
    noise=_noise,
)
def run_split(ctx: Context, main: Evidence, other: Evidence, noise: Evidence) -> Outcome:
    """Whether a sixth of the training images validates, and the test images change nothing."""
    calls = played(main, len(SEEDS) + 2)
    worked("run", calls[0])
    for one in calls:
        if fault := split("run", one):
            return fault
    first, again = fraction("run", calls[0], main), fraction("run", played(other, 1)[0], other)
    changed = fraction("run", played(noise, 1)[0], noise)
    if abs(first - again) < 1e-9 and abs(changed - first) > 1e-9:
        return Outcome.failed(
            f"run({SEEDS[0]}) gives {first:.4f}, and {changed:.4f} where the test images are noise",
            "selects_on_test",
        )
    share = first * HELD_OUT
    if abs(share - round(share)) > 1e-3:
        return Outcome.failed(
            f"run returned {first:.5f}, which is no share of {HELD_OUT} validation images",
            "wrong_accuracy",
        )
    return Outcome.passed()


def falls(function: str, evidence: Evidence) -> Outcome | None:
    """What is wrong where a longer run returned less; None where none did."""
    calls = played(evidence, len(GROWN) * len(GROWN_SEEDS))
    worked(function, calls[-1])
    found = list(fractions(function, calls, evidence))
    for start in range(0, len(found), len(GROWN)):
        curve = found[start : start + len(GROWN)]
        for k, (before, after) in enumerate(pairwise(curve), GROWN[0]):
            if after < before - 1e-9:
                return Outcome.failed(
                    f"{function} gave {before:.4f} for {k} epochs and {after:.4f} for {k + 1}: "
                    f"the best of more epochs is no less",
                    "saves_last_not_best",
                )
    return None


@check(
    bugs=("missing_name", "wrong_value", "wrong_accuracy", "saves_last_not_best"),
    help="The best accuracy of more epochs is never less than that of fewer.",
    main=grown,
)
def run_best(ctx: Context, main: Evidence) -> Outcome:
    """Whether the best epoch counts, and not the last."""
    return falls("run", main) or Outcome.passed()


__all__ = [
    "answer",
    "elsewhere",
    "falls",
    "grown",
    "optimizers",
    "parameters",
    "recipe",
    "repeated",
    "run_best",
    "run_recipe",
    "run_repeats",
    "run_split",
    "several",
    "split",
    "trained",
    "usual",
    "worked",
]
