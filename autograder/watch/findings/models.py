"""Bugs of the function that a model is, asked of it after the run, and of what it owns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .base import Finding, Log

MIXED = 1e-3
"""The relative change from which another row's output changed."""


def _learnt(log: Log) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The models that a gradient arrived at, with what is told of them."""
    found = {e["model"] for e in log.of_kind("forward") if e["learnt"]}
    for index in sorted(found):
        if 0 <= index < len(log.models):
            yield index, log.models[index]


def _call(log: Log, index: int) -> dict[str, Any]:
    """Where a model was first called, as keywords for a finding."""
    return log.where(next(e for e in log.of_kind("forward") if e["model"] == index))


def _batch_first(answers: Mapping[str, Any]) -> bool:
    """Whether axis 0 of a sample is surely the batch: it had as many rows as the batch that a
    loader handed out; or it was a batch of images; or a row that is a sequence (of vectors, or of
    whole numbers) was answered by one row of scores.
    """
    shape, out = answers["shape"], answers["out"]
    if len(shape) == 4:
        return True
    sequences = len(out) == 2 and (len(shape) == 3 or (len(shape) == 2 and answers["whole"]))
    return bool((answers["handed"] or sequences) and (len(shape) < 2 or shape[0] != shape[1]))


def batch_mixing(log: Log) -> Iterator[Finding]:
    """One row of a batch changes the outputs of others, although the model was told to evaluate.

    Only where the first axis is known to be the batch (`_batch_first`). A model that is the
    adversary of another may compare the samples of a batch on purpose.
    """
    optimizers = [o for o in log.section("beats", "optimizers") if o["steps"]]
    if len(optimizers) > 1:
        return
    for index, told in _learnt(log):
        answers = told["answers"]
        if not answers or answers["mixes"] is None or told["batchwise"]:
            continue
        if answers["norms"] or answers["unkept"]:
            continue  # it normalises by the batch at hand in any mode, on purpose
        if _batch_first(answers) and answers["mixes"] > MIXED and not answers["columns"]:
            yield Finding(
                "batch_mixing",
                f"other values in one row of a batch of shape {answers['shape']} changed what "
                f"{log.model_name(index)} said of other rows, by up to "
                f"{100 * answers['mixes']:.2g} % of its largest output",
                **_call(log, index),
            )


def _redundant(widths: Sequence[Sequence[int]]) -> bool:
    """Whether some layer between two others is wide enough that it restricts nothing: then a
    single layer would do. A narrow one makes a model of low rank, which may be meant.
    """
    pairs = itertools.pairwise(widths)
    return any(a[1] != b[0] or a[1] >= min(a[0], b[1]) for a, b in pairs)


def no_nonlinearity(log: Log) -> Iterator[Finding]:
    """A trained model of several layers is affine, though no layer is a bottleneck."""
    for index, told in _learnt(log):
        answers = told["answers"]
        asked_for = "linear" in str(told["class"]).lower()
        if not answers or not answers["affine"] or asked_for or not _redundant(answers["widths"]):
            continue
        if told["strangers"]:  # layers that are not registered were not seen on the way
            continue
        layers = len(answers["widths"])
        yield Finding(
            "no_nonlinearity",
            f"f(a) + f(b) - f(0) = f(a + b) for the {layers} layers of {log.model_name(index)}: "
            "together they do what a single one could",
            **_call(log, index),
        )


def unregistered_modules(log: Log) -> Iterator[Finding]:
    """Layers or tensors take part, get a gradient, belong to no model's parameters, and never
    move.
    """
    if not log.steps and not any(e["learnt"] for e in log.of_kind("forward")):
        return
    for index, told in _learnt(log):
        lost = [s for s in told["strangers"] if s["given"] and not s["moved"] and s["training"]]
        loose = [t for t in told["loose"] if t["given"] and not t["moved"]]
        if not lost and not loose:
            continue
        numbers = sum(x["numbers"] for x in (*lost, *loose))
        kinds = sorted({s["class"] for s in lost})
        what = f"{len(lost)} layer{'s' if len(lost) > 1 else ''} ({', '.join(kinds)})"
        tensors = ", ".join(f"'{t['name']}'" for t in loose[:4])
        where = log.where(lost[0]) if lost else _call(log, index)
        yield Finding(
            "unregistered_modules",
            f"{what if lost else 'tensors kept in ' + tensors} took part in "
            f"{log.model_name(index)} and got gradients, but are not among its parameters: "
            f"{numbers} numbers that never changed",
            instead_of=("stale_optimizer", "not_in_optimizer"),
            **where,
        )


def wrong_init(log: Log) -> Iterator[Finding]:
    """Two layers in a row began with one number everywhere, and their units are still equal."""
    for index, told in _learnt(log):
        constant = told["constant"]
        if constant and constant["still"] and log.steps:
            yield Finding(
                "wrong_init",
                f"the weights {' and '.join(constant['layers'])} of {log.model_name(index)} all "
                f"began as {constant['value']:.3g}: after {log.steps} steps the "
                f"{constant['units']} units of the first are still copies of one another",
                **_call(log, index),
            )


FINDERS = (batch_mixing, no_nonlinearity, unregistered_modules, wrong_init)
