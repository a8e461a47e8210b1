"""Judges of `fit`: what it writes down of an epoch, and in which mode each half of one runs.

`fit` is called on fixtures, once. The student's own `train_one_epoch` and `evaluate` do their work
in it, and what they answer is taken from a secret table: other numbers for the wrong loader and for
an evaluation before the training, so that a mistake is read off the numbers. A `fit` with loops of
its own is held to what its network computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.checks.base import Context, Inconclusive, check, require
from autograder.checks.evaluations import evaluation_of, evaluation_requests, judge_number
from autograder.checks.forms import FunctionForm
from autograder.checks.loops import LOSS, LOSS_REDUCED, Loop, loss_of, raised
from autograder.checks.reference.objective import loss
from autograder.checks.reference.replay import Call, Replay, number_of
from autograder.model import Evidence, Outcome, ProbeRequest

EPOCHS = 3
TRAIN = FunctionForm("train_one_epoch", ("model", "loader", "loss_fn", "optimizer"))
EVALUATE = FunctionForm("evaluate", ("model", "loader"))
ARGUMENTS = ("model", "train_loader", "val_loader", "loss_fn", "optimizer", "epochs")
TABLE = 1e-4
"""How near a number must be to one of the table, relative."""

Tables = Mapping[str, Mapping[str, list[float]]]


@lru_cache(maxsize=64)
def _tables(seed: int) -> Tables:
    """What the student's functions answer, by function and part, in order."""
    rng = np.random.default_rng(seed)
    values = rng.permutation(np.linspace(0.11, 0.93, 2 * (2 * EPOCHS + 2))).round(4).tolist()

    def take(n: int) -> list[float]:
        return [values.pop() for _ in range(n)]

    return {
        "train_one_epoch": {
            "train": [1 + v for v in take(EPOCHS)],
            "val": [2 + v for v in take(EPOCHS)],
        },
        "evaluate": {"val": take(EPOCHS + 1), "train": take(EPOCHS + 1)},
    }


def _secret(ctx: Context) -> Tables:
    return _tables(int(ctx.rng("fit", shared=True).integers(2**62)))


def _form() -> FunctionForm:
    return FunctionForm("fit", ARGUMENTS)


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    plain = _form().request(ctx, epochs=EPOCHS, keep=4)
    script = {"script": {k: dict(v) for k, v in _secret(ctx).items()}}
    return {
        "main": ProbeRequest(plain.probe, {**plain.args, **script}, plain.tensors),
        "idle": ProbeRequest(plain.probe, {**plain.args, **script, "idle": True}, plain.tensors),
        "train": TRAIN.request(ctx),
        "evaluate": evaluation_requests(ctx, EVALUATE)["main"],
    }


def _slips_there(ctx: Context, evidence: Mapping[str, Evidence], name: str) -> bool:
    """Whether the student's `train_one_epoch` or `evaluate` averages its batches' means, too: then
    that slip is judged there, and a loop of `fit`'s own that repeats it costs no more.
    """
    if evidence[name].status != "done":
        return False
    if name == "train":
        loop = Loop(TRAIN.read(ctx, evidence[name]), TRAIN.function)
        return "mean_of_batch_means" in loss_of(loop).bugs
    found = judge_number(evaluation_of(ctx, evidence[name]), "evaluate")
    return "mean of the batches" in found.message


@dataclass(frozen=True, eq=False)
class Fit:
    """One call of `fit`, read: its history, and the training and validation calls."""

    replay: Replay
    history: Mapping[str, Any]
    kind: str
    train: tuple[Call, ...]
    val: tuple[Call, ...]


def _read(ctx: Context, evidence: Mapping[str, Evidence]) -> Fit:
    """`fit`, read; where a function of the student's raised in it, `fit` over functions that only
    answer, so that one mistake costs its own check.
    """
    done = require(evidence["main"])
    if isinstance(done.data.get("raised"), dict):
        done = require(evidence["idle"])
    error = done.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    replay = _form().read(ctx, done)
    told = done.data.get("returned")
    returned = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
    items = returned.get("items")
    n = len(_form().fixture(ctx).known.labels)
    train = tuple(c for c in replay.calls if c.pulls) or tuple(c for c in replay.calls if c.graph)
    asked = tuple(c for c in replay.calls if not c.pulls and c not in train)
    val = tuple(c for c in asked if c.images is not None and (c.images >= n).all())
    return Fit(
        replay,
        items if isinstance(items, dict) else {},
        str(returned.get("kind", "nothing"))[:80],
        train,
        val or asked,
    )


def _series(fit: Fit, name: str) -> list[float]:
    """One list of the history; `Inconclusive` where it is not one number per epoch."""
    found = fit.history.get(name)
    if not isinstance(found, dict):
        has = f"the history has the keys {sorted(fit.history)}"
        told = has if fit.history else f"fit gave {fit.kind}"
        raise Inconclusive(Outcome.failed(f"{told}; '{name}' is missing"[:300], "wrong_history"))
    values = found.get("values")
    if not isinstance(values, list):
        kind = str(found.get("kind"))[:80]
        raise Inconclusive(Outcome.failed(f"'{name}' is a {kind}, not a list", "wrong_history"))
    if found.get("length") != EPOCHS or len(values) != EPOCHS:
        raise Inconclusive(
            Outcome.failed(
                f"'{name}' has {found.get('length')} entries after {EPOCHS} epochs",
                "wrong_history",
            )
        )
    numbers = [number_of(v.get("value")) if isinstance(v, dict) else float("nan") for v in values]
    for v, number in zip(values, numbers, strict=True):
        if not np.isfinite(number):
            kind = str(v.get("kind"))[:80] if isinstance(v, dict) else "nothing"
            raise Inconclusive(
                Outcome.failed(f"'{name}' holds a {kind}, not numbers", "wrong_history")
            )
        if isinstance(v, dict) and v.get("graph") is True:
            raise Inconclusive(
                Outcome.failed(
                    f"'{name}' holds tensors that still hang on their graphs; keep plain numbers",
                    "loss_graph_accumulated",
                )
            )
    return numbers


@check(
    requests=_requests,
    bugs=("missing_name", "wrong_history"),
    help="A dictionary with two lists; each epoch adds one number to each.",
)
def fit_history(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """A dictionary with two lists of one number per epoch."""
    fit = _read(ctx, evidence)
    for name in ("train_loss", "val_accuracy"):
        _series(fit, name)
    return Outcome.passed()


def _close(found: Sequence[float], right: Sequence[float], tolerance: float = TABLE) -> bool:
    return len(found) == len(right) and np.allclose(found, right, rtol=tolerance, atol=1e-6)


@check(
    requests=_requests,
    bugs=("wrong_history",),
    help=(
        "Train on the training loader, then measure on the validation loader, and write both down."
    ),
)
def fit_values(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each list holds what the student's functions answered, or what its own loops computed."""
    fit, tables = _read(ctx, evidence), _secret(ctx)
    losses, accuracies = _series(fit, "train_loss"), _series(fit, "val_accuracy")
    spans = {s.function for s in fit.replay.spans}
    if "train_one_epoch" in spans:
        if not _close(losses, tables["train_one_epoch"]["train"]):
            why = "it is not what train_one_epoch returned, epoch by epoch"
            if _close(losses, tables["train_one_epoch"]["val"]):
                why = "it is the result of training on the validation loader"
            return Outcome.failed(f"train_loss is wrong: {why}", "wrong_history")
    else:
        wrong = _own_losses(ctx, evidence, fit, losses)
        if wrong is not None:
            return wrong
    if "evaluate" in spans:
        val, train = tables["evaluate"]["val"], tables["evaluate"]["train"]
        if _close(accuracies, val[:EPOCHS]) and _evaluated_after(fit):
            return Outcome.passed()
        if _close(accuracies, val[1:]) and _evaluated_before(fit):
            return Outcome.passed()  # measured once before the first epoch, too
        return Outcome.failed(
            f"val_accuracy is wrong: {_validation_fault(accuracies, val, train)}", "wrong_history"
        )
    return _own_accuracies(ctx, evidence, fit, accuracies)


def _evaluated_after(fit: Fit) -> bool:
    """Whether each evaluation came after its epoch's training."""
    first = [c.begun for c in fit.val[:1]]
    return not first or not fit.train or first[0] > fit.train[0].begun


def _evaluated_before(fit: Fit) -> bool:
    """Whether there was an evaluation before the training, and one more after each epoch."""
    names = [s.function for s in fit.replay.spans]
    return names.count("evaluate") > EPOCHS and not _evaluated_after(fit)


def _validation_fault(found: list[float], val: list[float], train: list[float]) -> str:
    if _close(found, val[:EPOCHS]):
        return "it was measured before the epoch's training, not after it"
    if _close(found, train[:EPOCHS]) or _close(found, train[1:]):
        return "it was measured on the training loader"
    if len(set(found)) == 1:
        return "it holds one accuracy for every epoch"
    return "it is not the validation accuracy after each epoch"


def _epochs(ctx: Context, fit: Fit) -> list[list[Call]]:
    """The training calls of each epoch."""
    n = len(_form().fixture(ctx).batches)
    return [list(fit.train[i : i + n]) for i in range(0, len(fit.train), n)]


def _own_losses(
    ctx: Context, evidence: Mapping[str, Evidence], fit: Fit, found: list[float]
) -> Outcome | None:
    """What is wrong with the training losses of a `fit` with a loop of its own, or None."""
    import torch

    right, plain = [], []
    for calls in _epochs(ctx, fit):
        known = [c for c in calls if c.answers is not None and c.labels is not None]
        if not known or len(known) < len(calls):
            return Outcome.not_checked("not checked: the losses on the way could not be computed")
        values = [
            float(loss("cross_entropy", torch.from_numpy(c.answers), torch.from_numpy(c.labels)))
            for c in known
            if c.answers is not None and c.labels is not None
        ]
        right.append(float(np.average(values, weights=[c.rows for c in known])))
        plain.append(float(np.mean(values)))
    tolerance = LOSS_REDUCED if fit.replay.reduced else LOSS
    if _close(found, right, tolerance):
        return None
    if _close(found, plain, tolerance) and _slips_there(ctx, evidence, "train"):
        return None
    return Outcome.failed(
        "train_loss is wrong: it is not the mean over samples of each epoch's losses",
        "wrong_history",
    )


def _own_accuracies(
    ctx: Context, evidence: Mapping[str, Evidence], fit: Fit, found: list[float]
) -> Outcome:
    """Whether the accuracies of a `fit` with an evaluation of its own are those of its answers."""
    if len(fit.val) % EPOCHS or not fit.val:
        return Outcome.failed(
            "val_accuracy is wrong: the validation images were not evaluated once per epoch",
            "wrong_history",
        )
    each = len(fit.val) // EPOCHS
    right, plain = [], []
    for epoch in range(EPOCHS):
        calls = fit.val[epoch * each : (epoch + 1) * each]
        hits = [
            c.answers.argmax(1) == c.labels
            for c in calls
            if c.answers is not None and c.labels is not None
        ]
        if len(hits) < len(calls):
            return Outcome.not_checked("not checked: the answers were not seen")
        right.append(float(np.concatenate(hits).mean()))
        plain.append(float(np.mean([h.mean() for h in hits])))
    told = _close(found, right, TABLE) or (
        _close(found, plain, TABLE) and _slips_there(ctx, evidence, "evaluate")
    )
    if told and _evaluated_after(fit):
        return Outcome.passed()
    why = "it is not the validation accuracy after each epoch"
    if told:
        why = "it was measured before the epoch's training, not after it"
    return Outcome.failed(f"val_accuracy is wrong: {why}", "wrong_history")


@check(
    requests=_requests,
    bugs=("missing_train_mode", "missing_eval_mode"),
    help="Training and evaluation each set the mode they need, every time.",
)
def fit_modes(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Which batches were answered in which mode."""
    fit = _read(ctx, evidence)
    if not fit.train or not fit.val:
        what = "trained on" if not fit.train else "validated on"
        return Outcome.not_checked(f"not checked: no batch was {what}")
    epochs = _epochs(ctx, fit)
    off = [
        k + 1
        for k, calls in enumerate(epochs)
        if any(not fit.replay.effective_mode(c) for c in calls)
    ]
    on = sum(fit.replay.effective_mode(c) for c in fit.val)
    bugs: list[str] = []
    said: list[str] = []
    if off:
        bugs.append("missing_train_mode")
        which = f"epoch {off[0]}" if len(off) == 1 else f"epochs {', '.join(map(str, off))}"
        said.append(f"{which} of {EPOCHS} trained in evaluation mode, with dropout off")
    if on:
        bugs.append("missing_eval_mode")
        said.append(f"{on} of {len(fit.val)} validation batches were answered in training mode")
    return Outcome.failed("; ".join(said), *bugs) if bugs else Outcome.passed()
