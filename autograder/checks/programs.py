"""Judges of a whole program that trains at top level, beside those of its loop: see `forms`.

    runs       it runs to its end, trains the network and prints
    init       how the weights began
    batches    how many images a step looks at
    shuffled   the training images come in a new order every epoch
    epochs     how often each image was trained on
    rate       the steps are as long as the rate that is asked for makes them
    no_grad    whatever is asked of images that were not trained on builds no graph
    printed    the accuracy that is printed is that of the final weights
    wiring     the optimizer holds the parameters of the network that is trained
    seeding    two starts of the program agree
    statistics training images are prepared without a look at the test images
    scaler     a gradient scaler is used whole: scale, step, update
    device     model and batches meet on the device

All but the last four are read off one run on secret images. Accuracies are computed outside, from
weights; the box is asked for none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import (
    Context,
    Inconclusive,
    Judge,
    Malformed,
    Requests,
    StandardCheck,
    check,
    field_of,
    place,
    require,
)
from .forms import RUN, TEST, TRAIN, ProgramForm, form_of, with_defaults
from .loops import RATE, Loop, clearing, missing_network, must_follow, stopped
from .reference.images import Preparation, prepare
from .reference.objective import loss
from .reference.replay import Call, Replay

_NUMBER = re.compile(r"(?<![\w.])(\d+)(?:\.(\d+))?(?:[eE][-+]?\d+)?(?![\w.]*\d)\s*(%?)")
EARLY = "not checked: the program stopped before its end"
SHOWN = 400
"""Numbers of the printed text that are looked at, from its end."""
STEPS = 3
"""Steps of a start that is compared with another."""
FAR = 5.0
"""How many times too high or too low a rate must be to be named where rates are not judged to the
last digit: half of what is commonly taken for another order of magnitude."""
ADAMS = {"Adam", "AdamW"}
"""Optimizers whose steps are of one length at one rate."""
LEARNT = 0.93
"""Share of its beginning that a loss must come below to have fallen."""
PREPARED = 0.02
"""Share of the images' spread by which two preparations must differ; the fit of one is good to a
thousandth, and what test images add to the statistics moves them by a tenth."""
SAME = (0.5, 2.0)
"""How far the gradients that an optimizer sees may move when the scale does: 16-bit arithmetic
moves them by percents, a scale left in by four orders of magnitude."""

_Judge = Callable[[Context, Replay, Evidence], Outcome]


def program_of(ctx: Context) -> ProgramForm:
    """The program that a check's options name."""
    form = form_of(ctx)
    assert isinstance(form, ProgramForm)
    return form


def _run(ctx: Context) -> Mapping[str, ProbeRequest]:
    return program_of(ctx).requests(ctx)


def read_run(ctx: Context, evidence: Mapping[str, Evidence]) -> Replay:
    """The run, read; `Inconclusive` where the program has no such network or never called it."""
    form, done = program_of(ctx), require(evidence["main"])
    missing_network(form, done)
    replay = form.replay(ctx, evidence)
    must_follow(replay)
    if not replay.calls:
        raise Inconclusive(stopped(done) or Outcome.failed("the network was never called"))
    return replay


def _judged(judge: _Judge) -> Judge:
    @functools.wraps(judge)
    def decide(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        return judge(ctx, read_run(ctx, evidence), evidence["main"])

    return cast("Judge", decide)


def _of_the_end(judge: _Judge) -> _Judge:
    """A judge of what comes late in a run: what a program that raised did all the same counts,
    and what is missing is not held against it twice.
    """

    @functools.wraps(judge)
    def judged(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
        outcome = judge(ctx, replay, main)
        if outcome.status is Status.PASSED or stopped(main) is None:
            return outcome
        return Outcome.not_checked(EARLY)

    return judged


# --- the run -------------------------------------------------------------------------------------


def _runs(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether the program runs to its end, trains the network and prints."""
    problem = stopped(main)
    if problem is not None:
        return problem
    if not any(c.graph for c in replay.calls):
        return Outcome.failed("every forward call of the network ran with gradients switched off")
    if not field_of(main, "printed", str).strip():
        return Outcome.failed("the program printed nothing after its training")
    return Outcome.passed(f"run on our images, it trained on {len(replay.trained)} batches")


def _init(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether weights begin normal with the deviation `std`, and biases at zero."""
    want = float(ctx.option("std"))
    if not len(replay.states):
        return Outcome.not_checked("not checked: the first weights were not seen")
    begun = next((c.state for c in replay.trained if c.state >= 0), 0)
    at, start = 0, replay.states[begun]
    for i, size in enumerate(replay.sizes):
        values, shape = start[at : at + size], replay.shapes[i]
        at += size
        if len(shape) == 1:
            if np.abs(values).max(initial=0.0) > 1e-12:
                return Outcome.failed(
                    f"before the first step the {size} biases of a layer lie between "
                    f"{values.min():.2g} and {values.max():.2g}; zero is asked for",
                    "wrong_init",
                )
            continue
        wrong = _not_normal(values, want, " x ".join(map(str, shape)))
        if wrong is not None:
            return wrong
    return Outcome.passed()


def _not_normal(values: NDArray[np.float64], want: float, name: str) -> Outcome | None:
    """Why these weights are no draw from N(0, want²), or None. Six standard errors of the mean, the
    deviation and the kurtosis: one honest draw in half a billion is further off.
    """
    n = len(values)
    mean, std = float(values.mean()), float(values.std())
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
    return None


def _batches(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether a step looks at `batch` images."""
    return batches_of(replay.trained, int(ctx.option("batch")))


def batches_of(trained: Sequence[Call], want: int) -> Outcome:
    """Whether these training calls look at `want` images a step."""
    if not trained:
        return Outcome.not_checked("not checked: no batch was trained on")
    sizes = [c.rows for c in trained]
    groups: list[int] = [0]
    for c in trained:
        groups[-1] += c.rows
        if c.moved:
            groups.append(0)
    usual = [int(np.bincount(np.minimum(s, 10**5)).argmax()) for s in (sizes, groups[:-1] or sizes)]
    if want in usual:
        return Outcome.passed()
    return Outcome.failed(
        f"the network was trained on batches of {usual[0]} images; {want} are asked for",
        "wrong_value",
    )


STORED = 0.9
"""Of the steps from an image to the next, how many lead to one that is stored later, where nothing
was shuffled: all but a few, since equal images have one number. In a random order it is half."""


def _sequence(calls: Sequence[Call], replay: Replay) -> NDArray[Any]:
    """One number per image of these calls, in order, equal for equal images: which of ours they
    are, or, of a program that changes its images at random, their prints.
    """
    ours = [c.images for c in replay.trained if c.images is not None]
    if ours and all((i >= 0).all() for i in ours):
        told: list[NDArray[Any]] = [c.images for c in calls if c.images is not None]
    else:
        told = [np.round(c.prints, 6) for c in calls if c.prints is not None]
    return np.concatenate(told) if told else np.zeros(0, dtype=np.int64)


def _visits(calls: Sequence[Call], replay: Replay) -> NDArray[Any]:
    """As `_sequence`, without what an earlier call of the same step has looked at already."""
    if not any(c.moved for c in calls):  # no step tells where one ends
        return _sequence(calls, replay)
    found: list[NDArray[Any]] = []
    first = 0
    for call in calls:
        images = _sequence([call], replay)
        earlier = found[first:]
        found.append(images[~np.isin(images, np.concatenate(earlier))] if earlier else images)
        first = len(found) if call.moved else first
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _loop_calls(replay: Replay) -> tuple[Call, ...]:
    """The training calls from the first that a step followed to the last: a gradient looked at
    before or after the training is not part of it. All of them where no step was taken.
    """
    trained = replay.trained
    moved = [i for i, c in enumerate(trained) if c.moved]
    return trained[moved[0] : moved[-1] + 1] if moved else trained


def _shuffled(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether the training images come in a new order every epoch, in the run."""
    return new_order(replay)


def new_order(replay: Replay, *, once: bool = False) -> Outcome:
    """Whether the training images come in a new order every epoch; where `once` is enough, whether
    they come in another than that in which they are stored.
    """
    calls = _loop_calls(replay)
    order = _sequence(calls, replay)[::-1]  # from its end: a batch may have been tried before
    again = np.flatnonzero(order[1:] == order[:1])
    if not len(again):
        if len(order) <= TRAIN:
            return Outcome.not_checked("not checked: there were no two epochs to compare")
        return Outcome.passed("no image came a second time as it was")
    period = int(again[0]) + 1
    last, before = order[:period], order[period : 2 * period]
    if calls[-1].rows >= period > 1:
        return Outcome.passed("with one batch an epoch, its order changes nothing")
    if len(before) == period and np.array_equal(last, before):
        numbered = np.issubdtype(last.dtype, np.integer)  # which of ours they are
        if once and not (numbered and (last[1:] < last[:-1]).sum() > STORED * (period - 1)):
            return Outcome.passed("shuffled once, or in an order of which nothing is known")
        return Outcome.failed(
            f"the last epoch brought the same {period} images in the same order as the one before",
            "train_not_shuffled",
        )
    return Outcome.passed()


def _eval_order(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether two evaluations see the images in one order; a remark, worth nothing."""
    name = str(ctx.option("evaluate"))
    spans = [s for s in replay.spans if s.function == name and s.first < s.last]
    orders = [_sequence(replay.calls[s.first : s.last], replay) for s in spans]
    if len(orders) < 2 or not len(orders[0]):
        return Outcome.not_checked("not checked: there were no two evaluations to compare")
    if all(np.array_equal(orders[0], o) for o in orders[1:]):
        return Outcome.passed()
    return Outcome.failed(
        "two evaluations saw the test images in different orders; it costs no points, but they can "
        "no longer be compared image by image",
        "eval_shuffled",
    )


def _epochs(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether each training image was trained on `epochs` times."""
    want = int(ctx.option("epochs"))
    outcome = epochs_of(replay, replay.trained, want)
    if outcome.status is Status.PASSED or not program_of(ctx).functions:
        return outcome
    # a function may be tried out before: once, or without being measured
    measured = field_of(main, "evaluated", list)
    once_more = epochs_of(replay, replay.trained, want + 1).status is Status.PASSED
    if once_more or len({e for e in measured if isinstance(e, int) and e > 0}) == want:
        return Outcome.passed("with an epoch tried out before")
    return outcome


def epochs_of(replay: Replay, trained: Sequence[Call], want: int) -> Outcome:
    """Whether these training calls saw each training image `want` times."""
    visits = _visits(trained, replay)
    rows = len(visits) or sum(c.rows for c in trained)
    _, counts = np.unique(visits, return_counts=True)
    distinct = len(counts)
    passes = rows / TRAIN
    # images so often, where a part of them is held back, tried out before or left out at the end
    # of an epoch; or so many in all, each a bit changed
    whole = len(counts) >= 0.6 * TRAIN and want in (np.median(counts), counts.max(initial=0))
    if whole or (abs(passes - want) < 0.5 and distinct >= 0.9 * TRAIN):
        return Outcome.passed()
    return Outcome.failed(
        f"in {len(trained)} batches it saw {distinct} of our {TRAIN} training images, each of them "
        f"{rows / max(distinct, 1):.1f} times; {want} epochs are asked for",
        "wrong_value",
    )


# --- the steps -----------------------------------------------------------------------------------


def _rate(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether the steps are as long as `rate` makes them, by the `optimizer` that is asked for."""
    want, optimizer = float(ctx.option("rate")), str(ctx.option("optimizer"))
    if ctx.option("open") is True:
        return open_rate(replay, want, optimizer)
    batch = int(ctx.option("batch"))
    values, name = replay.effective_rates(batch)
    if not values:
        if replay.still:
            return _set(replay, want, optimizer)
        return Outcome.not_checked("not checked: the steps are made of no gradient we can compute")
    asked = "" if optimizer == "SGD" else optimizer
    if name != asked:
        what = f"those of {name}" if name else "plain gradient descent's"
        wanted = f"{optimizer}'s" if asked else "plain gradient descent's"
        return Outcome.failed(
            f"the steps are {what}, with a rate of {abs(values[0]):.2g}; {wanted} with {want:g} "
            f"are asked for",
            "wrong_value",
        )
    low, high = min(values), max(values)
    factors = [s.objective.factor for s in replay.sources]
    rows = [s.call.rows for s in replay.sources]
    if all(abs(f / n - 1) < 0.02 for f, n in zip(factors, rows, strict=True)) and max(rows) > 1:
        summed = [v / n for v, n in zip(values, rows, strict=False)]
        if all(abs(v / want - 1) < RATE for v in summed) or any(
            abs(v * batch / want - 1) < RATE for v in summed
        ):
            return Outcome.passed("the loss is summed; the rate itself is the one asked for")
    if low <= want * (1 + RATE) and high >= want * (1 - RATE):
        return Outcome.passed(f"the steps are {low:.3g} to {high:.3g} times the gradient")
    told = f"the steps are {low:.3g} times the gradient"
    if high - low > RATE * abs(high):
        told = f"the steps are {low:.3g} to {high:.3g} times the gradient"
        if want / 10 <= high < want:
            return Outcome.passed(f"{told}: clipped, or warmed up")
    bug = "lr_too_high" if low > want else "lr_too_low"
    return Outcome.failed(f"{told}; a rate of {want:g} is asked for", bug)


def open_rate(replay: Replay, want: float, optimizer: str) -> Outcome:
    """Whether the rate is near the one that is asked for where the `optimizer` is, too, and stays
    as it is. Of another optimizer, or a schedule, whether it does harm: the loss says that.
    """
    name = str(replay.holders[0].get("type", "")) if replay.holders else ""
    rates = [r for s in replay.steps for r in s.rates] or replay.effective_rates()[0]
    rates = rates or _made_rates(replay)
    fell = _fall(replay)
    if not rates or not np.isfinite(rates).all():
        if fell is not None and fell.last < LEARNT * fell.first:
            return Outcome.passed("the loss falls, without an optimizer of torch's")
        return Outcome.not_checked("not checked: no step could be explained")
    low, high, usual = min(rates), max(rates), float(np.median(rates))
    told = f"the steps are taken at a rate of {usual:.3g}"
    if high - low <= RATE * high and (name == optimizer or {name, optimizer} == ADAMS):
        if want / FAR <= usual <= want * FAR:
            return Outcome.passed(told)
        bug = "lr_too_high" if usual > want else "lr_too_low"
        return Outcome.failed(f"{told}; {want:g} is asked for", bug)
    least, most = (1e-3, 1.0) if name in ("", "SGD") else (1e-4, 2e-2)
    bug = "lr_too_low" if high < least else "lr_too_high" if usual > most else ""
    if not bug or fell is None or not fell.harmed(wild=bug == "lr_too_high"):
        return Outcome.passed(told)
    return Outcome.failed(
        f"{told}: the loss went from {fell.first:.4g} to {fell.last:.4g} in "
        f"{len(replay.trained)} batches, and was {fell.most:.4g} at most",
        bug,
    )


def _made_rates(replay: Replay) -> list[float]:
    """The rates of optimizers that were made and never stepped."""
    groups = [g for o in replay.holders for g in o.get("groups") or [] if isinstance(g, Mapping)]
    return [float(g["lr"]) for g in groups if isinstance(g.get("lr"), float)]


@dataclass(frozen=True)
class _Fall:
    """The loss of the first batch, the mean of the last three that were seen, and the largest."""

    first: float
    last: float
    most: float

    def harmed(self, *, wild: bool) -> bool:
        """Whether the loss did not fall; `wild`: or was far above its beginning on the way."""
        return not self.last < LEARNT * self.first or (wild and self.most > 2 * self.first)


def _fall(replay: Replay) -> _Fall | None:
    """How the cross-entropy went in training; None where fewer than four batches show it."""
    import torch

    values = [
        float(loss("cross_entropy", torch.from_numpy(c.answers), torch.from_numpy(c.labels)))
        for c in replay.trained
        if c.answers is not None and c.labels is not None
    ]
    return _Fall(values[0], float(np.mean(values[-3:])), max(values)) if len(values) > 3 else None


def _set(replay: Replay, want: float, optimizer: str) -> Outcome:
    """The rate that an optimizer is set to, where none of its steps moved a weight."""
    for told in replay.holders:
        groups = [g for g in told.get("groups") or [] if isinstance(g, Mapping)]
        rates = [g["lr"] for g in groups if isinstance(g.get("lr"), float)]
        if told.get("type") == optimizer and rates and abs(rates[0] / want - 1) < RATE:
            return Outcome.passed("as its optimizer is set, though no step moved a weight")
    return Outcome.not_checked("not checked: no step was taken")


def _wiring(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """The optimizer that steps holds every parameter of the network that is trained."""
    total = len(replay.shapes)
    if not replay.holders and not replay.strangers:
        if stopped(main) is not None:
            raise Inconclusive(stopped(main) or Outcome.not_checked(EARLY))
        if not replay.still:
            return Outcome.passed("the weights move without an optimizer of torch's")
        return Outcome.failed("the program ended without one optimizer step")
    if not total:
        return Outcome.not_checked("not checked: the network lists no parameters")
    if len(replay.held) < total:
        return Outcome.failed(
            f"the optimizer holds {len(replay.held)} of the {total} parameter tensors of the "
            f"network",
            "stale_optimizer",
        )
    if replay.frozen and not replay.still:
        return Outcome.failed(
            f"{len(replay.frozen)} of the {total} parameter tensors of the network never moved",
            "stale_optimizer",
        )
    return Outcome.passed()


# --- the measure ---------------------------------------------------------------------------------


def _no_grad(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether whatever is asked of images that were not trained on builds no graph."""
    trained = replay.trained
    reached = [c for c in trained if c.pulls]
    seen = set(_sequence(reached, replay).tolist())
    first = reached[0].index if reached else 0
    last = reached[-1].index if reached else len(replay.calls) - 2
    asked: list[Call] = []  # about images that were not trained on; else after the training
    after: list[Call] = []
    for c in replay.calls[first:]:
        own = _sequence([c], replay).tolist()
        if c.pulls or not own:
            continue
        fresh = np.mean([i not in seen for i in own])
        asked += [c] if seen and fresh > 0.5 else []
        after += [c] if c.index > last else []
    asked = asked or after
    if not asked:
        if stopped(main) is not None:
            return Outcome.not_checked(EARLY)
        return Outcome.failed("after its training the network was never asked about an image")
    bad = [c for c in asked if c.graph]
    # A few images looked at in passing (a public test does it, too) are no evaluation.
    if bad and (len(bad) == len(asked) or sum(c.rows for c in bad) >= TEST / 2):
        return Outcome.failed(
            f"{len(bad)} of {len(asked)} batches of the evaluation built a graph for a backward "
            f"pass that never comes",
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
def _printed(ctx: Context, replay: Replay, main: Evidence) -> Outcome:
    """Whether the accuracy that is printed is that of the final weights."""
    hits = replay.accuracy(len(replay.states) - 1)
    if hits is None and replay.mixed:
        return Outcome.failed(
            "each row that the network gets is made of pixels of many images: the batch was put in "
            "another shape as if it were one long row, so no image is seen as a whole",
            "batch_mixing",
        )
    if hits is None:
        if not any(c.pulls for c in replay.calls):
            return Outcome.not_checked("not checked: the network was not trained")
        return Outcome.not_checked(
            "not checked: the program prepares its images in a way that could not be followed"
        )
    true = float(hits.mean())
    found, meant = _says(field_of(main, "printed", str), true)
    if found:
        return Outcome.passed(
            f"run on our images, it printed {meant}; the final weights get {true:.4f}"
        )
    if not meant:
        return Outcome.failed(
            "after its training the program printed no accuracy", "wrong_accuracy"
        )
    told = (
        f"run on our images, its final weights get {int(hits.sum())} of {TEST} test images "
        f"right ({true:.4f}); it printed {meant}"
    )
    near = next((w for w, v in _ways(hits).items() if _says(f"accuracy {meant}", v)[0]), "")
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


# --- seeds ---------------------------------------------------------------------------------------


def _starts(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = program_of(ctx)
    return {
        "main": form.request(ctx, curve=form.curve),
        "again": form.request(ctx, which=1, steps=STEPS),
        "whole": form.request(ctx, which=1, curve=form.curve),
    }


def _long_enough(evidence: Mapping[str, Evidence], short: str) -> str:
    """The label of the second start to look at: the `short` one, or the "whole" one where a few
    steps do not lead to the network that the program ends with, since it tried out another before
    or binds its name only at its end.
    """
    turns = (evidence[label].data.get("turn") for label in ("main", short))
    return short if len(set(map(repr, turns))) == 1 else "whole"


def _seeding(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Two starts, whose generators were set differently from outside, take the same first steps."""
    label = _long_enough(evidence, "again")
    first, second = (read_run(ctx, {"main": evidence[k]}) for k in ("main", label))
    said = "the program was started twice"
    for run, name in ((first, "main"), (second, label)):
        if not run.trained:
            raise Inconclusive(
                stopped(evidence[name])
                or Outcome.failed("the program ended without training its network")
            )
    for run in (first, second):
        # without a backward pass there is no first step, and that is named where it is asked for
        if not run.opening and any(c.pulls for c in run.calls):
            raise Inconclusive(Outcome.not_checked("not checked: no first steps were kept"))
    for k, (a, b) in enumerate(zip(first.opening, second.opening, strict=False)):
        if k > STEPS:
            break
        if not _alike(a[2:], b[2:]):
            when = f"they began alike and differed from step {k} on"
            if not k:
                when = "the weights differed before the first step"
            return Outcome.failed(f"{said}: {when}", "incomplete_seeding")
        if a[0] != b[0] or not _alike(a[1:2], b[1:2]):
            return Outcome.failed(
                f"{said}: they began with the same weights, and batch {k + 1} held other images",
                "incomplete_seeding",
            )
    told = evidence["again"].data.get("generators")
    lacking = [k for k, v in told.items() if v is False] if isinstance(told, Mapping) else []
    wanted = [str(w) for w in ctx.option("generators", [])]
    named = [n for n in wanted if n in lacking]
    if named:
        setter = program_of(ctx).seeding
        return Outcome.failed(
            f"after {setter}(1234), called twice, the next random number of {' and '.join(named)} "
            f"was another one",
            "incomplete_seeding",
        )
    return Outcome.passed(f"two starts agreed over {min(STEPS, len(second.trained))} steps")


def _alike(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether sums over equal weights or images are equal, up to the order of summation."""
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-4, equal_nan=True))


# --- the statistics ---------------------------------------------------------------------------


def _with_other_tests(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = program_of(ctx)
    return {
        "main": form.request(ctx, curve=form.curve),
        "moved": form.request(ctx, steps=STEPS, other_tests=True),
        "whole": form.request(ctx, curve=form.curve, other_tests=True),
    }


def _statistics(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether training images are prepared as before when the test images are others."""
    label = _long_enough(evidence, "moved")
    first, second = (
        _training_images(read_run(ctx, {"main": evidence[k]})) for k in ("main", label)
    )
    if first is None or second is None:
        return Outcome.passed("not exercised: the images are prepared in no one way")
    _, a, b = np.intersect1d(first.columns, second.columns, return_indices=True)
    # a map's slope counts for the 255 steps of a pixel, and its shift for one
    maps = [(255 * p.slope[i], p.shift[i]) for p, i in ((first, a), (second, b))]
    size = max((float(np.abs(slope).max(initial=0.0)) for slope, _ in maps), default=0.0)
    apart = max(float(np.abs(u - v).max(initial=0.0)) for u, v in zip(*maps, strict=True))
    if apart > PREPARED * size:
        return Outcome.failed(
            "run once more with other test images, the program prepared its training images in "
            "another way: the numbers that it prepares them by are taken from the test set, too",
            "stats_leakage",
        )
    return Outcome.passed()


def _training_images(replay: Replay) -> Preparation | None:
    """How the images that were trained on are prepared; None where no affine map does it."""
    rows = [c.inputs for c in replay.trained if c.inputs is not None]
    if not rows or replay.preparation is None:
        return None
    constant = replay.preparation.constant
    fitted = prepare(np.concatenate(rows), replay.both.images, replay.columns, constant)
    return None if fitted is None else fitted[0]


# --- the accelerator -----------------------------------------------------------------------------

_MIXED = re.compile(
    r"same device|found at least two devices|device type tensor to numpy|"
    r"Input type .* and weight type|is on cpu|Attempting to deserialize object on a CUDA device",
    re.IGNORECASE | re.DOTALL,
)


def _accelerated(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = program_of(ctx)
    return {
        "main": form.request(ctx, curve=form.curve),
        "there": form.request(ctx, which=2, device="cuda"),
    }


def _device(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether model and batches meet on the device, on a simulated accelerator."""
    plain = evidence["main"]
    healthy = plain.status == "done" and bool(plain.data.get("steps") or plain.data.get("calls"))
    there = evidence["there"]
    if there.status != "done" and healthy:
        return Outcome.passed("not exercised: the simulated accelerator could not run this program")
    main = require(there)
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


def _scaler(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether a gradient scaler is used whole: scale, step, update.

    Calls are counted in the run with an accelerator, where a scaler is switched on, if that came
    through and trained, else in the plain one; there the gradients that a step used are compared
    with those of the loss itself.
    """
    plain = read_run(ctx, {"main": evidence["main"]})
    told = evidence["there"]
    there = plain
    if told.status == "done" and "calls" in told.data and stopped(told) is None:
        there = program_of(ctx).read(ctx, told)
    there = there if there.scaler["step"] else plain
    counts, steps = there.scaler, len(there.steps) + there.strangers
    if not plain.calls or not any(c.pulls for c in plain.calls):
        return Outcome.not_checked("not checked: no backward pass, so no loss to scale")
    if not plain.steps and not plain.strangers and not counts["step"]:
        return Outcome.not_checked("not checked: the loop took no step")
    if not counts["step"]:
        return Outcome.failed(f"in {steps} steps the scaler's step was never called", "wrong_value")
    if not counts["scale"]:
        return Outcome.failed(f"in {steps} steps no loss was scaled by the scaler", "wrong_value")
    if early := max(counts["early"], plain.scaler["early"]):
        return Outcome.failed(
            f"the scaler was updated before its step, {early} times: it ends its turn, and the "
            f"step no longer knows what became of the gradients",
            "wrong_value",
        )
    if counts["update"] not in (counts["step"], counts["scale"]):  # one for several optimizers
        return Outcome.failed(
            f"the scaler was updated {counts['update']} times in {counts['step']} steps",
            "wrong_value",
        )
    ratio = _left_in(there, plain)
    if ratio is None or SAME[0] <= ratio <= SAME[1]:
        return Outcome.passed()
    said = f"with a large scale the first step used {ratio:.2g} times the loss's gradient"
    return Outcome.failed(said, "clip_before_unscale" if ratio < 1 else "wrong_value")


def _left_in(there: Replay, plain: Replay) -> float | None:
    """How many times the gradient that the plain run differentiates a step used, over what clipping
    alone leaves; None where it cannot be told.
    """
    usual = next((s.objective.factor for s in plain.sources if s.objective.factor > 0), 1.0)
    for u in there.updates:
        if u.account is None or not u.account.known or len(u.fresh) != 1 or not u.account.own > 0:
            continue
        source = there.sources[u.fresh[0]]
        if not source.objective.factor > 0:
            continue
        used = u.account.own * source.objective.factor / usual
        length = float(np.linalg.norm(source.gradient)) * usual / source.objective.factor
        limits = [limit for limit in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0) if limit < length]
        clipped = [used * length / limit for limit in limits]
        return float(min([used, *clipped], key=lambda v: abs(np.log(v))))
    return None


def _examine(ctx: Context) -> None:
    if not ctx.option("network"):
        raise Malformed("needs the option 'network'", "the name of the global that is the network")


def _question(
    ask: str, help: str, *bugs: str, requests: Requests = _run, **defaults: object
) -> Callable[[Judge], StandardCheck]:
    return check(
        family="program",
        ask=ask,
        help=help,
        bugs=bugs,
        requests=requests,
        options=with_defaults(RUN, **defaults),
        examine=_examine,
    )


program_runs = _question(
    "runs",
    "The program runs from its first line to its last, trains the network, and prints what came "
    "of it.",
    "missing_name",
)(_judged(_runs))
program_init = _question(
    "init",
    "Initialisation comes before the first step, and covers every layer.",
    "wrong_init",
    std=0.01,
)(_judged(_init))
program_batches = _question(
    "batches",
    "The batch size is the number of images that one step looks at.",
    "wrong_value",
    batch=256,
)(_judged(_batches))
program_shuffled = _question(
    "shuffled",
    "Each epoch should bring the training images in an order of its own.",
    "train_not_shuffled",
)(_judged(_shuffled))
program_eval_order = _question(
    "eval_order",
    "Evaluation needs no shuffling: the accuracy is the same, and an order that stays lets you "
    "compare two models image by image.",
    "eval_shuffled",
)(_judged(_eval_order))
program_epochs = _question(
    "epochs",
    "An epoch is one pass over all the training images.",
    "wrong_value",
    epochs=10,
)(_judged(_of_the_end(_epochs)))
program_rate = _question(
    "rate",
    "Plain gradient descent moves each weight by the learning rate times its gradient, no more "
    "and no less.",
    "lr_too_high",
    "lr_too_low",
    "wrong_value",
    rate=0.1,
    batch=256,
    optimizer="SGD",
)(_judged(_rate))
program_no_grad = _question(
    "no_grad",
    "Nothing is learnt from an evaluation, so nothing needs a graph.",
    "missing_no_grad",
)(_judged(_no_grad))
program_printed = _question(
    "printed",
    "Accuracy is the number of right answers over the number of test images, of the network as it "
    "is after the last step.",
    "wrong_accuracy",
    "batch_mixing",
)(_judged(_printed))
program_wiring = _question(
    "wiring",
    "An optimizer changes the tensors it was given when it was built, and no others. Build it "
    "after the model that is trained, from that model's parameters.",
    "stale_optimizer",
    "missing_name",
)(_judged(_wiring))
program_seeding = _question(
    "seeding",
    "Everything random has to be seeded before it is used: the weights, the order of the images, "
    "and whatever else draws a number.",
    "incomplete_seeding",
    "missing_name",
    requests=_starts,
)(_seeding)
program_statistics = _question(
    "statistics",
    "What the data are prepared by (a mean, a deviation, a largest value) is learnt from the "
    "training images, or is a constant. The test images stand for those that nobody has seen yet.",
    "stats_leakage",
    requests=_with_other_tests,
)(_statistics)
program_device = _question(
    "device",
    "Everything that meets in one operation must be on one device: the model once, every batch of "
    "images and labels as it comes. On a machine without an accelerator a forgotten move stays "
    "invisible, so this was tried with a simulated one.",
    "wrong_device",
    requests=_accelerated,
)(_device)
program_scaler = _question(
    "scaler",
    "A gradient scaler multiplies the loss before the backward pass and divides the gradients "
    "before the step, so that small gradients survive 16-bit numbers. It does so only if all of "
    "its parts are used, once per batch: scale, step, update.",
    "clip_before_unscale",
    "wrong_value",
    requests=_accelerated,
)(_scaler)

__all__ = ["Loop", "clearing", "program_of", "read_run"]
