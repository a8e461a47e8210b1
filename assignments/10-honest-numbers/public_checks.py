"""The public checks of this assignment: they go into the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks.answers import Answer, read
from autograder.checks.base import Context, Inconclusive, check, field_of, probe, require
from autograder.checks.loops import raised
from autograder.model import Array, Evidence, Outcome, ProbeRequest

TRAIN, TEST, BITS = 720, 100, 11
CLASSES, NOISE, MISLABELLED = 10, 110.0, 0.15
"""Noise and wrong labels keep the accuracies of short trainings between chance and certainty, so
that seeds and epochs differ in them.
"""
RAY = 1024
"""Of a network's first weights, how many are told along a random direction."""


def images(
    ctx: Context, name: str = "images", noise: float = NOISE, mislabelled: float = MISLABELLED
) -> dict[str, Array]:
    """A data folder and a direction: images of ten patterns under noise that bear their numbers in
    their first row, the training images from 0 on, the test images after them.
    """
    rng = ctx.rng(name, shared=True)
    count = TRAIN + TEST
    labels = rng.permutation(np.arange(count) % CLASSES)
    patterns = (rng.random((CLASSES, 28, 28)) < 0.3) * 160.0
    made = np.clip(patterns[labels] + rng.normal(0, noise, (count, 28, 28)), 0, 255)
    wrong = rng.random(count) < mislabelled
    labels = np.where(wrong, rng.integers(0, CLASSES, count), labels)
    shifts = np.arange(BITS - 1, -1, -1)
    made[:, 0, :BITS] = ((np.arange(count)[:, None] >> shifts) & 1) * 255
    made[:, 0, BITS], made[:, 0, BITS + 1] = 0, 255
    pixels, classes = made.astype(np.uint8), labels.astype(np.int64)
    return {
        "train_images": pixels[:TRAIN],
        "train_labels": classes[:TRAIN],
        "test_images": pixels[TRAIN:],
        "test_labels": classes[TRAIN:],
        "ray": rng.normal(size=RAY),
    }


def play(
    ctx: Context,
    function: str,
    calls: Sequence[tuple[Sequence[Any], Mapping[str, Any]]],
    *,
    turn: int = 0,
    steady: bool = False,
    made: Mapping[str, Array] | None = None,
) -> ProbeRequest:
    """Ask for some calls of a function that trains. `turn` sets the generators to other numbers
    before; `steady` to the same before each call.
    """
    args = {
        "function": function,
        "calls": [[list(given), dict(named)] for given, named in calls],
        "seed": ctx.seed % 10**6 + 1000 * turn,
        "steady": steady,
    }
    return probe("play", args, images(ctx) if made is None else made)


def played(evidence: Evidence, count: int) -> list[Mapping[str, Any]]:
    """The calls that were played; `Inconclusive` where one raised."""
    found = field_of(require(evidence), "played", list)
    calls = [one for one in found if isinstance(one, Mapping)]
    for one in calls:
        if isinstance(one.get("raised"), Mapping):
            raise Inconclusive(raised(one["raised"]))
    if len(calls) != count:
        raise Inconclusive(Outcome.failed("the probe's answer was tampered with: 'played'"))
    return calls


def answer(one: Mapping[str, Any], evidence: Evidence) -> Answer:
    """What a call returned."""
    return read(one.get("returned"), evidence)


def fraction(function: str, one: Mapping[str, Any], evidence: Evidence) -> float:
    """The accuracy that a call returned; `Inconclusive` for anything else."""
    found = answer(one, evidence)
    value = None if found.kind in ("bool", "sequence", "dict") else found.numeric()
    if value is None or value.size != 1:
        raise Inconclusive(
            Outcome.failed(
                f"{function} returned {found.words}; a number is asked for", "wrong_value"
            )
        )
    number = float(value.reshape(()))
    if not 0 <= number <= 1:
        percent = "; that looks like a percentage" if 1 < number <= 100 else ""
        said = f"{function} returned {number:.4g}; a fraction between 0 and 1 is asked for{percent}"
        raise Inconclusive(Outcome.failed(said, "wrong_accuracy"))
    return number


def fractions(
    function: str, calls: Sequence[Mapping[str, Any]], evidence: Evidence
) -> Iterator[float]:
    """The accuracies that some calls returned."""
    for one in calls:
        yield fraction(function, one, evidence)


@check(
    bugs=("missing_name", "wrong_value", "wrong_accuracy"),
    help="`run` returns an accuracy: a number between 0 and 1.",
    main=lambda ctx: play(ctx, "run", [([0], {"hidden": 16, "epochs": 1, "limit": 120})]),
)
def run_fraction(ctx: Context, main: Evidence) -> Outcome:
    """One epoch on a few images ends with a fraction."""
    (one,) = played(main, 1)
    fraction("run", one, main)
    return Outcome.passed()
