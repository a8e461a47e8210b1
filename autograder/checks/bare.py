"""Checks of a bare script: no function to call, so its whole run is what is judged.

One run on secret images (`bare_scene`) answers all of them. Here: how it began, what it was fed,
for how long, and what it said in the end. The loop itself is judged in `bare_loop`. Accuracies
are computed outside, from the final weights; the box is asked for none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, Status
from .bare_reading import BareReading, bare_check, read_bare, stopped
from .bare_scene import TEST, TRAIN
from .base import Context, StandardCheck, require

_Judge = Callable[[Context, Evidence], Outcome]
_NUMBER = re.compile(r"(?<![\w.])(\d+)(?:\.(\d+))?(?:[eE][-+]?\d+)?(?![\w.]*\d)\s*(%?)")
EARLY = "not checked: the program stopped before its end"
SHOWN = 400
"""Numbers of the printed text that are looked at, from its end."""


def _runs(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, require(main))
    problem = stopped(main)
    if problem is not None:
        return problem
    if not reading.calls[:, 2].any():
        return Outcome.failed("every forward call of the network ran with gradients switched off")
    if not reading.printed.strip():
        return Outcome.failed("the program printed nothing after its training")
    return Outcome.passed(f"run on our images, it trained on {len(reading.trained)} batches")


def _init(ctx: Context, main: Evidence) -> Outcome:
    reading, want = read_bare(ctx, main), float(ctx.option("std", 0.01))
    at = 0
    for shape in reading.shapes:
        values = reading.start[at : at + int(np.prod(shape))]
        at += len(values)
        n = len(values)
        if len(shape) == 1:
            if np.abs(values).max() > 1e-12:
                return Outcome.failed(
                    f"before the first step the {n} biases of a layer lie between "
                    f"{values.min():.2g} and {values.max():.2g}; zero is asked for",
                    "wrong_init",
                )
            continue
        mean, std = float(values.mean()), float(values.std())
        name = " x ".join(map(str, shape))
        if abs(std / want - 1) > 6 / np.sqrt(2 * n) + 0.01 or abs(mean) > 6 * want / np.sqrt(n):
            return Outcome.failed(
                f"before the first step the {name} weights have mean {mean:.4f} and standard "
                f"deviation {std:.4f}; 0 and {want:g} are asked for",
                "wrong_init",
            )
        tails = float(((values - mean) ** 4).mean()) / std**4
        if abs(tails - 3) > 6 * np.sqrt(24 / n) + 0.1:
            return Outcome.failed(
                f"the {name} weights have the standard deviation {std:.4f}, but are not normally "
                f"distributed: their kurtosis is {tails:.2f}, a normal one's 3",
                "wrong_init",
            )
    return Outcome.passed()


def _batch(ctx: Context, main: Evidence) -> Outcome:
    reading, want = read_bare(ctx, main), int(ctx.option("batch", 256))
    trained = reading.calls[reading.trained]
    if not len(trained):
        return Outcome.not_checked("not checked: no batch was trained on")
    groups = np.add.reduceat(trained[:, 0], np.flatnonzero(np.r_[1, trained[:-1, 3]]))
    sizes = [int(np.bincount(np.minimum(s, 10**5)).argmax()) for s in (trained[:, 0], groups)]
    if want in sizes:
        return Outcome.passed()
    return Outcome.failed(
        f"the network was trained on batches of {sizes[0]} images; {want} are asked for",
        "wrong_value",
    )


def _sequence(reading: BareReading, calls: NDArray[np.int64]) -> NDArray[np.float64]:
    """One number per image of these calls, in order; equal numbers are equal images."""
    told = [reading.prints[i] for i in calls if i < len(reading.prints)]
    found: NDArray[np.float64] = np.concatenate(told) if told else np.zeros(0)
    return np.asarray(np.round(np.where(np.isfinite(found), found, 0.0), 6), dtype=np.float64)


def _shuffled(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    # from its end: a program may have tried out a batch several times before
    order = _sequence(reading, reading.loop)[::-1]
    again = np.flatnonzero(order[1:] == order[:1])
    if not len(again):
        if len(order) <= TRAIN:
            return Outcome.not_checked("not checked: there were no two epochs to compare")
        return Outcome.passed("no image came a second time as it was")
    period = int(again[0]) + 1
    last, before = order[:period], order[period : 2 * period]
    if int(reading.calls[reading.loop[-1], 0]) >= period > 1:
        return Outcome.passed("with one batch an epoch, its order changes nothing")
    if len(before) == period and np.array_equal(last, before):
        return Outcome.failed(
            f"the last epoch brought the same {period} images in the same order as the one before",
            "train_not_shuffled",
        )
    return Outcome.passed()


def _of_the_end(judge: _Judge) -> _Judge:
    """A judge of what comes late in a run: what a program that raised did all the same counts,
    and what is missing is not held against it twice.
    """

    def judged(ctx: Context, main: Evidence) -> Outcome:
        outcome = judge(ctx, main)
        if outcome.status is Status.PASSED or stopped(main) is None:
            return outcome
        return Outcome.not_checked(EARLY)

    return judged


@_of_the_end
def _epochs(ctx: Context, main: Evidence) -> Outcome:
    reading, want = read_bare(ctx, main), int(ctx.option("epochs", 10))
    trained = reading.calls[reading.trained]
    there = TRAIN
    passes = float(trained[:, 0].sum()) / there
    _, counts = np.unique(_sequence(reading, reading.trained), return_counts=True)
    distinct = len(counts)
    # images so often, where a part of them is held back, tried out before or left out at the end
    # of an epoch; or so many in all, each a bit changed
    whole = distinct >= 0.6 * there and want in (np.median(counts), counts.max(initial=0))
    if whole or (abs(passes - want) < 0.5 and distinct >= 0.9 * there):
        return Outcome.passed()
    return Outcome.failed(
        f"in {len(trained)} batches it saw {distinct} of our {there} training images, each of "
        f"them {trained[:, 0].sum() / max(distinct, 1):.1f} times; {want} epochs are asked for",
        "wrong_value",
    )


def _no_grad(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    reached = np.flatnonzero(reading.calls[:, 1])
    seen = set(_sequence(reading, reading.trained)) if len(reached) else set()
    first, last = (
        (int(reached[0]), int(reached[-1])) if len(reached) else (0, len(reading.calls) - 2)
    )
    asked: list[int] = []  # about images that were not trained on; else after the training
    after: list[int] = []
    for i in range(first, min(len(reading.calls), len(reading.prints))):
        if not reading.calls[i, 1]:
            fresh = [p not in seen for p in np.round(reading.prints[i], 6)]
            asked += [i] if seen and np.mean(fresh) > 0.5 else []
            after += [i] if i > last else []
    asked = asked or after
    graphs = reading.calls[asked, 2] == 1
    total, bad = len(asked), int(graphs.sum())
    if not total:
        if stopped(main) is not None:
            return Outcome.not_checked(EARLY)
        return Outcome.failed("after its training the network was never asked about an image")
    # A few images looked at in passing (a public test does it, too) are no evaluation.
    images = int(reading.calls[asked, 0][graphs].sum())
    if bad == total or images >= TEST / 2:
        return Outcome.failed(
            f"{bad} of {total} batches of the evaluation built a graph for a backward pass that "
            f"never comes",
            "missing_no_grad",
        )
    return Outcome.passed()


def _says(text: str, true: float) -> tuple[bool, str]:
    """Whether a number of `text` is the accuracy `true`, as a fraction or in percent, to the
    decimals it is printed with (cut or rounded, and one image off by rounding); and the number
    that was most likely meant: the last one, of a line that speaks of accuracy if there is one.
    """
    meant, sure = "", False
    for line in text.splitlines()[-SHOWN:]:
        about = "acc" in line.lower()
        for match in list(_NUMBER.finditer(line))[-SHOWN:]:
            decimals, percent = len(match[2] or ""), bool(match[3])
            value = float(f"{match[1][:12]}.{match[2] or '0'}")
            near = 10.0**-decimals + 1e-9
            slack = near + 1 / TEST if decimals >= 2 else 1e-9  # 0.1 is how Python writes 0.1000
            if (decimals and abs(value - true) <= slack) or (
                (decimals or percent or about) and abs(value - 100 * true) <= near + 100 / TEST
            ):
                return True, match[0].strip()
            if about or (not sure and (percent or decimals)):
                meant, sure = match[0].strip(), about
    for part in re.finditer(r"(\d{1,9})\s*/\s*(\d{1,9})", text):
        if int(part[2]) == TEST and abs(int(part[1]) - true * TEST) <= 1:
            return True, part[0]
    return False, meant


@_of_the_end
def _printed(ctx: Context, main: Evidence) -> Outcome:
    reading = read_bare(ctx, main)
    true = reading.accuracy
    if true is None or reading.hits is None:
        if not len(np.flatnonzero(reading.calls[:, 1])):
            return Outcome.not_checked("not checked: the network was not trained")
        return Outcome.not_checked(
            "not checked: the program prepares its images in a way that could not be followed"
        )
    found, meant = _says(reading.printed, true)
    if found:
        return Outcome.passed(
            f"run on our images, it printed {meant}; the final weights get {true:.4f}"
        )
    if not meant:
        return Outcome.failed(
            "after its training the program printed no accuracy", "wrong_accuracy"
        )
    told = (
        f"run on our images, its final weights get {int(reading.hits.sum())} of {TEST} test images "
        f"right ({true:.4f}); it printed {meant}"
    )
    ways = _ways(reading.hits)
    near = next((w for w, v in ways.items() if _says(f"accuracy {meant}", v)[0]), "")
    return Outcome.failed(told + (f", which is {near}" if near else ""), "wrong_accuracy")


def _ways(hits: NDArray[np.bool_]) -> dict[str, float]:
    """Other numbers that are taken for the accuracy."""
    found: dict[str, float] = {}
    for size in (256, 128, 100, 64, 32):
        parts = [hits[i : i + size] for i in range(0, len(hits), size)]
        means = [float(p.mean()) for p in parts]
        found[f"the mean of the accuracies of batches of {size}"] = float(np.mean(means))
        found[f"the accuracy of the last batch of {size}"] = means[-1]
        found[f"the accuracy of the first batch of {size}"] = means[0]
        found[f"as if every batch of {size} were full"] = float(hits.sum()) / (size * len(parts))
    found["the share of wrong answers"] = 1 - float(hits.mean())
    found["the right answers over 10,000"] = float(hits.sum()) / 10_000
    return found


CHECKS: tuple[StandardCheck, ...] = (
    bare_check(
        "bare_runs",
        _runs,
        "The program runs from its first line to its last, trains the network, and prints what "
        "came of it.",
        "missing_name",
    ),
    bare_check(
        "bare_init",
        _init,
        "Initialisation comes before the first step, and covers every layer.",
        "wrong_init",
    ),
    bare_check(
        "bare_batch",
        _batch,
        "The batch size is the number of images that one step looks at.",
        "wrong_value",
    ),
    bare_check(
        "bare_shuffled",
        _shuffled,
        "Each epoch should bring the training images in an order of its own.",
        "train_not_shuffled",
    ),
    bare_check(
        "bare_epochs",
        _epochs,
        "An epoch is one pass over all the training images.",
        "wrong_value",
    ),
    bare_check(
        "bare_no_grad",
        _no_grad,
        "Nothing is learnt from an evaluation, so nothing needs a graph.",
        "missing_no_grad",
    ),
    bare_check(
        "bare_printed",
        _printed,
        "Accuracy is the number of right answers over the number of test images, of the network as "
        "it is after the last step.",
        "wrong_accuracy",
    ),
)
