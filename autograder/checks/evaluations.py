"""Judges of an evaluation, one question each, whatever form it has: see `forms`.

    runs       it called the network and returned a number in [0, 1]
    number     right answers over images, on a ragged last batch too
    mode       the network answers in evaluation mode
    graph      no answer hangs on a graph

The judge knows the images, their labels and the weights, computes every answer itself in float64
and recognises the usual wrong numbers by value. A fixture's images are chosen whose two largest
logits lie far apart, so that 16-bit arithmetic gives the same answers; for the question of the mode
its net drops half of its units in training mode, and the labels are mostly what it says in
evaluation mode, so the two accuracies lie far apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import GraderError
from ..model import Evidence, Outcome, ProbeRequest
from .base import Context, Inconclusive, Judge, StandardCheck, check, require
from .forms import (
    CLASSES,
    FUNCTION,
    RUN,
    FunctionForm,
    ProgramForm,
    TrainFixture,
    examine_form,
    form_of,
    patch_images,
)
from .loops import NOT_FOLLOWED, missing_network, never_called, raised
from .reference.images import Known
from .reference.replay import Call, Replay, number_of, read

SAMPLES, BATCH, HIDDEN = 46, 9, 16
TOLERANCE = 1e-4
"""An accuracy is a quotient of two counts; float32 keeps seven digits of it."""


@dataclass(frozen=True, eq=False)
class EvaluationFixture:
    """A net, images and labels, and which answers are right in either mode, (N,) bool."""

    fixture: TrainFixture
    right: NDArray[np.bool_]
    right_in_training: NDArray[np.bool_]


@lru_cache(maxsize=64)
def evaluation_fixture(seed: int, moody: bool) -> EvaluationFixture:
    """A fixture for an evaluation; `moody`: its answers depend on the mode."""
    rng = np.random.default_rng(seed)
    for _ in range(200):
        made = _draw(rng, moody)
        if not moody or _far_apart(made):
            return made
    raise GraderError("no suitable secret fixture was found", remedy="change the assignment's seed")


def _far_apart(made: EvaluationFixture) -> bool:
    """Whether the accuracies of both modes differ, and the wrong one is no usual wrong number."""
    right, wrong = float(made.right.mean()), float(made.right_in_training.mean())
    sizes = [BATCH] * (SAMPLES // BATCH) + [SAMPLES % BATCH]
    usual = [value for value, _ in ways(made.right, sizes)]
    return abs(right - wrong) > 0.2 and wrong > 0.1 and min(abs(wrong - u) for u in usual) > 0.01


def _draw(rng: np.random.Generator, moody: bool) -> EvaluationFixture:
    """A net, and of many random images those whose answers are the least in doubt."""
    w1 = rng.normal(0, 0.5, (HIDDEN, 784)).astype(np.float32)
    w2 = rng.normal(0, 1, (CLASSES, HIDDEN)).astype(np.float32)
    mask = np.ones(HIDDEN, dtype=np.float32)
    if moody:
        mask = np.where(rng.permutation(HIDDEN) < HIDDEN // 2, 0.0, 2.0).astype(np.float32)
    images = patch_images(rng, 8 * SAMPLES)
    hidden = images.reshape(len(images), -1).astype(np.float64) @ w1.T.astype(np.float64)
    answers, margins = [], []
    for factor in (np.ones(HIDDEN), mask):
        logits = np.maximum(hidden * factor, 0) @ w2.T.astype(np.float64)
        top = np.sort(logits, axis=1)
        margins.append((top[:, -1] - top[:, -2]) / (np.abs(top).max(axis=1) + 1e-9))
        answers.append(logits.argmax(1))
    clear = np.sort(np.argsort(-np.minimum(*margins), kind="stable")[:SAMPLES])
    images, predicted, in_training = images[clear], answers[0][clear], answers[1][clear]
    labels = np.where(rng.random(SAMPLES) < 0.7, predicted, rng.integers(0, CLASSES, SAMPLES))
    short = SAMPLES % BATCH
    labels[-short:] = (predicted[-short:] + 1) % CLASSES
    tensors = {
        "w1": w1,
        "w2": w2,
        "mask": mask,
        "images": images[:, None],
        "labels": labels.astype(np.int64),
    }
    known = Known(images.reshape(SAMPLES, -1).astype(np.float64), labels.astype(np.int64))
    values = {"batch": BATCH, "lr": 0.1, "training": True, "n_classes": CLASSES}
    fixture = TrainFixture(values, tensors, known, known)
    return EvaluationFixture(fixture, predicted == labels, in_training == labels)


def fixture_of(ctx: Context, *, moody: bool = False) -> EvaluationFixture:
    """The secret fixture of an assignment."""
    return evaluation_fixture(
        int(ctx.rng(f"evaluation/{moody}", shared=True).integers(2**62)), moody
    )


def _function_request(ctx: Context, form: FunctionForm, *, moody: bool) -> ProbeRequest:
    made = fixture_of(ctx, moody=moody).fixture
    args = {
        "function": form.function,
        "arguments": list(form.arguments),
        "fixture": dict(made.values),
        "keep": 0,
        "ray": 7,
        "seed": ctx.seed,
    }
    return ProbeRequest("drive:call", args, made.tensors)


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: what it returned, its calls, and which images it got right, in its order."""

    returned: Mapping[str, object]
    calls: tuple[Call, ...]
    right: NDArray[np.bool_] | None
    sizes: tuple[int, ...]


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = form_of(ctx)
    if isinstance(form, ProgramForm):
        return form.requests(ctx)
    return evaluation_requests(ctx, form)


def evaluation_requests(ctx: Context, form: FunctionForm) -> dict[str, ProbeRequest]:
    """The evaluation of a function on the plain fixture, and on one that depends on the mode."""
    return {
        "main": _function_request(ctx, form, moody=False),
        "moody": _function_request(ctx, form, moody=True),
    }


def evaluation_of(ctx: Context, evidence: Evidence, *, moody: bool = False) -> Evaluation:
    """The evaluation of a function on fixtures; raises `Inconclusive` where it broke off."""
    done = require(evidence)
    error = done.data.get("raised")
    if isinstance(error, Mapping):
        raise Inconclusive(
            Outcome.not_checked(
                "not checked: it did not run to its end; see the first check of its task"
            )
        )
    made = fixture_of(ctx, moody=moody)
    replay = read(done, made.fixture.known, ray=7, mask=made.fixture.mask)
    told = done.data.get("returned")
    returned = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
    n = len(made.right)
    sizes = tuple(min(BATCH, n - i) for i in range(0, n, BATCH))
    return Evaluation(returned, replay.calls, made.right, sizes)


def _program(ctx: Context, evidence: Mapping[str, Evidence]) -> list[Evaluation]:
    """The evaluations of a program's own run; raises `Inconclusive` where it made none."""
    form = form_of(ctx)
    assert isinstance(form, ProgramForm)
    done = require(evidence["main"])
    missing_network(form, done)
    replay = form.read(ctx, done)
    name = str(ctx.option("evaluate"))
    found = []
    for span in replay.spans:
        if span.function != name or not span.ended:
            continue
        calls = tuple(c for c in replay.calls if span.first <= c.index < span.last)
        right = _right(replay, calls)
        found.append(Evaluation(span.returned, calls, right, tuple(c.rows for c in calls)))
    if not found:
        raise Inconclusive(never_called(replay, name))
    of_it = [made for made in found if made.calls]
    if not of_it and replay.unfollowed:
        raise Inconclusive(NOT_FOLLOWED)
    return of_it or found  # another network may be evaluated, too


def _right(replay: Replay, calls: Sequence[Call]) -> NDArray[np.bool_] | None:
    """Which images of these calls the network gets right, computed where it is known from its
    weights, else from its answers; None where the images are not known.
    """
    found = []
    at = calls[0].state if calls else -1
    for c in calls:
        if c.labels is None:
            return None
        if replay.chain is not None and replay.preparation is not None and at >= 0:
            assert c.images is not None
            rows = replay.preparation.of(replay.both.images[c.images])
            scores = replay.chain.scores(replay.states[at], replay.offsets[at], rows)
        elif c.answers is not None:
            scores = c.answers
        else:
            return None
        found.append(scores.argmax(1) == c.labels)
    return np.concatenate(found) if found else None


def ways(right: NDArray[np.bool_], sizes: Sequence[int]) -> list[tuple[float, str]]:
    """The usual wrong accuracies of right and wrong answers in batches: (value, what it is)."""
    parts = np.split(right, np.cumsum(sizes)[:-1])
    hits, n, k, full = float(right.sum()), len(right), len(parts), max(sizes)
    means = [float(p.mean()) for p in parts]
    return [
        (float(np.mean(means)), "the mean of the batches' accuracies"),
        (100 * hits / n, "the accuracy in percent"),
        (hits, "the number of right answers"),
        (hits / k, "the right answers over the number of batches"),
        (hits / (k * full), "the right answers over full batches, with the last one short"),
        (float(np.sum(means)), "the sum of the batches' accuracies"),
        (float(np.sum(means)) / n, "the batches' accuracies over all samples"),
        (means[-1], "the accuracy of the last batch alone"),
        (means[0], "the accuracy of the first batch alone"),
        (float(parts[-1].sum()) / n, "the right answers of the last batch alone, over all samples"),
        (1 - hits / n, "the share of wrong answers"),
    ]


def judge_number(made: Evaluation, name: str) -> Outcome:
    """Right answers over images, to the last digit."""
    value = number_of(made.returned.get("value"))
    if not np.isfinite(value):
        kind = str(made.returned.get("kind", "nothing"))[:80]
        return Outcome.failed(f"{name} returned {kind}, not a finite number", "wrong_accuracy")
    if not made.calls:
        return Outcome.failed(f"{name} never called the model")
    if made.right is None:
        return Outcome.not_checked(
            "not checked: the images of the evaluation could not be matched with the test images"
        )
    n, hits = len(made.right), int(made.right.sum())
    if abs(value - hits / n) <= TOLERANCE:
        return Outcome.passed()
    said = f"it returned {value:.4f}, where {hits} of {n} answers are right ({hits / n:.4f})"
    for other, what in ways(made.right, made.sizes):
        if abs(value - other) <= TOLERANCE * max(1.0, other):
            return Outcome.failed(f"{said}: that is {what}", "wrong_accuracy")
    return Outcome.failed(said, "wrong_accuracy")


def _runs(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether it runs, calls the network and returns a number in [0, 1]."""
    form = form_of(ctx)
    name = form.function if isinstance(form, FunctionForm) else str(ctx.option("evaluate"))
    if isinstance(form, FunctionForm):
        done = require(evidence["main"])
        error = done.data.get("raised")
        if isinstance(error, Mapping):
            return raised(error)
        made = evaluation_of(ctx, done, moody=False)
    else:
        made = _program(ctx, evidence)[0]
    value = made.returned.get("value")
    if value is None:
        kind = str(made.returned.get("kind", "nothing"))[:80]
        return Outcome.failed(f"{name} returned {kind}, not a number", "wrong_value")
    number = number_of(value)
    if not np.isfinite(number):
        return Outcome.failed(f"{name} returned {str(value)[:20]}", "wrong_value")
    if not made.calls:
        return Outcome.failed(f"{name} returned without calling the model")
    if not 0 <= number <= 1:
        return Outcome.failed(
            f"{name} returned {number:.4g}; an accuracy lies between 0 and 1", "wrong_accuracy"
        )
    return Outcome.passed(f"it returned {number:.4g}")


def _number(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the number is right answers over images, on a ragged last batch too."""
    form = form_of(ctx)
    if isinstance(form, FunctionForm):
        return judge_number(evaluation_of(ctx, evidence["main"], moody=False), form.function)
    name = str(ctx.option("evaluate"))
    made = _program(ctx, evidence)
    if made[0].right is None and _read_anew(made):
        return Outcome.failed(
            f"two evaluations of {sum(made[0].sizes)} images each read others, which are none of "
            f"the test images: they are changed at random as they are read",
            "eval_augmented",
        )
    return judge_number(made[0], name)


def _read_anew(evaluations: Sequence[Evaluation]) -> bool:
    """Whether evaluations of as many images did not read the same ones, in whatever order."""
    read_by = [[c.prints for c in e.calls if c.prints is not None] for e in evaluations]
    prints = [np.sort(np.concatenate(p)) for p in read_by if p]
    alike = [p for p in prints if len(p) == len(prints[0])]
    return any(not np.allclose(p, alike[0], rtol=1e-5, atol=1e-4) for p in alike)


def _mode(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the network answers in evaluation mode.

    A function's number decides where it is one of the two accuracies; else the mode seen.
    """
    if isinstance(form_of(ctx), ProgramForm):
        found = _program(ctx, evidence)
        if not any(made.calls for made in found):
            return Outcome.not_checked("not checked: the model was never called")
        for k, made in enumerate(found):
            if any(c.training for c in made.calls):
                return Outcome.failed(
                    f"in evaluation {k + 1} the model was still in training mode",
                    "missing_eval_mode",
                )
        return Outcome.passed()
    made = evaluation_of(ctx, evidence["moody"], moody=True)
    if not made.calls:
        return Outcome.not_checked("not checked: the model was never called")
    known = fixture_of(ctx, moody=True)
    value, right = number_of(made.returned.get("value")), float(known.right.mean())
    wrong = float(known.right_in_training.mean())
    trained = sum(c.training for c in made.calls)
    if abs(value - wrong) <= TOLERANCE or (trained and abs(value - right) > TOLERANCE):
        return Outcome.failed(
            f"the model came in training mode, and {trained} of {len(made.calls)} batches were "
            f"answered in that mode, with its dropout active (accuracy {wrong:.4f} in place of "
            f"{right:.4f})",
            "missing_eval_mode",
        )
    return Outcome.passed()


def _graph(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the evaluation builds no graph."""
    if isinstance(form_of(ctx), ProgramForm):
        found = _program(ctx, evidence)
    else:
        found = [evaluation_of(ctx, evidence["main"], moody=False)]
    calls = [c for made in found for c in made.calls]
    if not calls:
        return Outcome.not_checked("not checked: the model was never called")
    with_graph = sum(c.graph for c in calls)
    if with_graph:
        return Outcome.failed(
            f"{with_graph} of {len(calls)} forward calls recorded a graph for a backward pass that "
            f"never comes",
            "missing_no_grad",
        )
    return Outcome.passed()


def _question(ask: str, help: str, *bugs: str) -> Callable[[Judge], StandardCheck]:
    return check(
        family="evaluation",
        ask=ask,
        help=help,
        bugs=bugs,
        requests=_requests,
        options=FUNCTION + RUN,
        examine=examine_form,
    )


evaluation_runs = _question(
    "runs",
    "The function goes once through the loader and returns the share of right answers.",
    "missing_name",
    "wrong_value",
    "wrong_accuracy",
)(_runs)
evaluation_number = _question(
    "number",
    "Accuracy is the number of right answers over the number of images. Batches may differ in "
    "size, so count images, not batches.",
    "wrong_accuracy",
    "eval_augmented",
    "missing_name",
)(_number)
evaluation_mode = _question(
    "mode",
    "In evaluation mode dropout is off and batch norm uses what it learnt.",
    "missing_eval_mode",
)(_mode)
evaluation_graph = _question(
    "graph",
    "Nothing is learnt from an evaluation, so nothing needs a graph.",
    "missing_no_grad",
)(_graph)
