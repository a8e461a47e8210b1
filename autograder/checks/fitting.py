"""Checks of `fit`, `plot_history` and the wiring of `train_mnist`.

`fit` is asked twice. Once over stand-ins that answer from secret tables, to see what it
writes down and from which loader; the tables hold other numbers for the wrong loader and
for an evaluation before the training, so that a mistake is read off the numbers. And once
over the student's own functions, to see in which mode every batch of every epoch was
answered. A `fit` with loops of its own is replayed like `train_one_epoch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from ..model import Evidence, Json, Outcome, ProbeRequest
from . import losses
from .base import Context, Inconclusive, StandardCheck, field_of, require, tensor_of
from .reading import REDUCED, scene
from .replay import NEVER, OBJECTIVES, Match, Recipe, Scene, forward, match, simulate

EPOCHS = 3
TOLERANCE = 1e-4
REDUCED_TOLERANCE = 0.02
SETUP_STEPS = 25

Tables = Mapping[str, Mapping[str, list[float]]]


@lru_cache(maxsize=64)
def _secrets(seed: int) -> tuple[Tables, np.ndarray, np.ndarray]:
    """The tables of the stand-ins, and validation images with labels."""
    rng = np.random.default_rng(seed)
    values = rng.permutation(np.linspace(0.11, 0.93, 2 * (2 * EPOCHS + 2))).round(4).tolist()

    def take(n: int) -> list[float]:
        return [values.pop() for _ in range(n)]

    tables = {
        "loss": {"train": [1 + v for v in take(EPOCHS)], "val": [2 + v for v in take(EPOCHS)]},
        "accuracy": {"train": take(EPOCHS + 1), "val": take(EPOCHS + 1)},
    }
    images = rng.random((29, 1, 28, 28)) * (rng.random((29, 1, 28, 28)) < 0.2) * 0.02
    return tables, images.astype(np.float32), rng.integers(0, 10, 29).astype(np.int64)


def _secret(ctx: Context) -> tuple[Tables, np.ndarray, np.ndarray]:
    return _secrets(int(ctx.rng("fit").integers(2**62)))


def _request(ctx: Context, *, scripted: bool) -> ProbeRequest:
    secret = int(ctx.rng("fit").integers(2**62))
    return _asked(scene(ctx), secret, ctx.seed, scripted)


@lru_cache(maxsize=64)
def _asked(made: Scene, secret: int, seed: int, scripted: bool) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    tables, images, labels = _secrets(secret)
    args = {
        "epochs": EPOCHS,
        "batch": made.batch,
        "lr": made.lr,
        "seed": seed,
        "scripted": scripted,
        "tables": tables,
    }
    tensors = {**made.tensors(), "val_images": images, "val_labels": labels}
    return ProbeRequest("fitting:fit", args, tensors)


def _list(evidence: Evidence, name: str) -> list[float]:
    """One list of the history as floats; `Inconclusive` where it is not one per epoch."""
    found = evidence.data.get(name)
    if not isinstance(found, dict):
        keys = evidence.data.get("keys")
        kind = evidence.data.get("kind")
        has = f"the history has the keys {keys}" if isinstance(keys, list) else f"fit gave {kind}"
        raise Inconclusive(Outcome.failed(f"{has}; '{name}' is missing"[:300], "wrong_history"))
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
    numbers = [v.get("value") if isinstance(v, dict) else None for v in values]
    if not all(isinstance(v, (int, float)) for v in numbers):
        raise Inconclusive(
            Outcome.failed(f"'{name}' holds something else than finite numbers", "wrong_history")
        )
    return [float(v) for v in numbers if isinstance(v, (int, float))]


def judge_history(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Two lists under their keys, with one number for each epoch."""
    done = require(evidence["main"])
    for name in ("train_loss", "val_accuracy"):
        _list(done, name)
    return Outcome.passed()


def _close(found: list[float], right: list[float], tolerance: float) -> bool:
    return bool(np.allclose(found, right, rtol=tolerance, atol=tolerance))


def _ran(evidence: Evidence) -> Evidence:
    if evidence.status != "done":
        raise Inconclusive(
            Outcome.not_checked(
                "not checked: fit did not run to its end; see the first check of its task"
            )
        )
    return evidence


def _accuracies(
    made: Scene, found: Match, trained: bool, images: np.ndarray, labels: np.ndarray
) -> list[float]:
    """The validation accuracy after each epoch of a real run, in evaluation mode."""
    recipe = found.recipe if trained and found.recipe is not None else Recipe(beats=NEVER)
    path = simulate(made, recipe, EPOCHS).weights
    per = (len(path) - 1) // EPOCHS
    x = torch.from_numpy(images.astype(np.float64))
    mask = torch.ones(len(made.mask), dtype=torch.float64)
    result = []
    for epoch in range(1, EPOCHS + 1):
        flat = path[per * epoch]
        cut = made.weights[0].size
        weights = [
            torch.from_numpy(part.reshape(w.shape))
            for part, w in zip((flat[:cut], flat[cut:]), made.weights, strict=True)
        ]
        guess = forward(weights, mask, x, training=False).argmax(1).numpy()
        result.append(float((guess == labels).mean()))
    return result


def _training_fault(found: list[float], tables: Tables) -> str:
    if _close(found, tables["loss"]["val"], TOLERANCE):
        return "it is the result of training on the validation loader"
    return "it is not what train_one_epoch returned, epoch by epoch"


def _validation_fault(found: list[float], tables: Tables) -> str:
    val, train = tables["accuracy"]["val"], tables["accuracy"]["train"]
    if _close(found, val[:EPOCHS], TOLERANCE):
        return "it was measured before the epoch's training, not after it"
    if _close(found, train[1:], TOLERANCE) or _close(found, train[:EPOCHS], TOLERANCE):
        return "it was measured on the training loader"
    if _close(found, [val[-1]] * EPOCHS, TOLERANCE):
        return "it holds the last epoch's accuracy for every epoch"
    return "it is not the validation accuracy after each epoch"


def judge_values(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each list holds what the stand-ins answered, or what a replay of own loops gives."""
    done = _ran(evidence["main"])
    made, (tables, images, labels) = scene(ctx), _secret(ctx)
    loss, accuracy = _list(done, "train_loss"), _list(done, "val_accuracy")
    trained = field_of(done, "trained", int)
    evaluated = field_of(done, "evaluated", int)
    forwards = [f for f in field_of(done, "forwards", list) if isinstance(f, dict)]
    reduced = any(str(f.get("dtype")) in REDUCED for f in forwards)
    tolerance = REDUCED_TOLERANCE if reduced else TOLERANCE
    found = Match(None, 0.0, 0.0, 0)
    if not (trained and evaluated):
        weights = tensor_of(done, "weights", (len(made.start),))
        if not np.isfinite(weights).all():
            return Outcome.failed("the weights became nan or infinite", "wrong_history")
        found = match(made, np.asarray(weights)[None], reduced, EPOCHS)
    said = "{} is wrong: {}".format
    if trained:
        if not _close(loss, tables["loss"]["train"], TOLERANCE):
            why = _training_fault(loss, tables)
            return Outcome.failed(said("train_loss", why), "wrong_history")
    elif found.still:
        still = [Recipe(o, NEVER, mode) for o in OBJECTIVES for mode in (True, False)]
        if not any(_close(loss, losses.reference(made, EPOCHS, r), tolerance) for r in still):
            why = "no weight moved, and it is not the loss at these weights"
            return Outcome.failed(said("train_loss", why), "wrong_history")
    elif found.recipe is None:
        return Outcome.not_checked(
            "not checked: fit has a loop of its own, and the weights end where no known loop ends"
        )
    elif not _close(loss, losses.reference(made, EPOCHS, found.recipe), tolerance):
        why = "it is not the mean over samples of each epoch's losses"
        return Outcome.failed(said("train_loss", why), "wrong_history")
    if evaluated and _close(accuracy, tables["accuracy"]["val"][1:], TOLERANCE):
        return Outcome.passed()
    if evaluated:
        why = _validation_fault(accuracy, tables)
        return Outcome.failed(said("val_accuracy", why), "wrong_history")
    right = _accuracies(made, found, not trained, images, labels)
    if max(abs(a - b) for a, b in zip(accuracy, right, strict=True)) > 1.01 / len(labels):
        why = "it is not the validation accuracy after each epoch"
        return Outcome.failed(said("val_accuracy", why), "wrong_history")
    return Outcome.passed()


def judge_modes(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """With the student's own functions: which batches were answered in which mode."""
    done = _ran(evidence["main"])
    forwards = [f for f in field_of(done, "forwards", list) if isinstance(f, dict)]
    train = [f for f in forwards if f.get("backward") is True]
    train = train or [f for f in forwards if f.get("source") == "train" and f.get("graph")]
    asked = [f for f in forwards if f.get("backward") is not True and f not in train]
    val = [f for f in asked if f.get("source") == "val"] or asked
    if not train or not val:
        what = "trained on" if not train else "validated on"
        return Outcome.not_checked(f"not checked: no batch was {what}")
    off = sorted({str(f.get("epoch"))[:4] for f in train if f.get("training") is not True})
    on = sum(f.get("training") is True for f in val)
    bugs: list[str] = []
    said: list[str] = []
    if off:
        bugs.append("missing_train_mode")
        epochs = f"epoch {off[0]}" if len(off) == 1 else f"epochs {', '.join(off)}"
        said.append(f"{epochs} of {EPOCHS} trained in evaluation mode, with dropout off")
    if on:
        bugs.append("missing_eval_mode")
        said.append(f"{on} of {len(val)} validation batches were answered in training mode")
    return Outcome.failed("; ".join(said), *bugs) if bugs else Outcome.passed()


def _history(ctx: Context) -> dict[str, list[float]]:
    rng = ctx.rng("plot")
    return {
        "train_loss": np.sort(rng.uniform(0.2, 2.3, 5))[::-1].round(3).tolist(),
        "val_accuracy": np.sort(rng.uniform(0.3, 0.98, 5)).round(3).tolist(),
    }


def judge_plot(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """A Figure in which both series are drawn; the accuracy may be in percent."""
    done = require(evidence["main"])
    kind = field_of(done, "kind", str)[:80]
    if kind != "Figure":
        return Outcome.failed(f"plot_history returned {kind}, not a Figure", "wrong_value")
    drawn = [d for d in field_of(done, "drawn", list) if isinstance(d, list)]
    numbers = [[float(v) for v in d if isinstance(v, (int, float))] for d in drawn]
    for name, values in _history(ctx).items():
        scales = (1.0, 100.0) if name == "val_accuracy" else (1.0,)
        if not any(
            len(d) == len(values) and np.allclose(d, np.array(values) * s, rtol=1e-3)
            for d in numbers
            for s in scales
        ):
            return Outcome.failed(
                f"the figure has {len(drawn)} curves, and none of them is '{name}'", "wrong_value"
            )
    return Outcome.passed()


def _number(value: Json) -> float:
    """A figure of the evidence; "inf" and whatever is no number at all become nan."""
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _rate_bug(optimizer: str, rate: float) -> str:
    """`lr_too_low`, `lr_too_high` or "" by the customary range of such an optimizer."""
    low, high = (1e-3, 1.0) if optimizer.startswith("SGD") else (1e-4, 2e-2)
    return "lr_too_low" if rate < low else "lr_too_high" if rate > high else ""


def judge_setup(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The optimizer that steps holds the net that runs, and its rate lets the loss fall.

    A rate outside the customary range is named only where the loss shows it.
    """
    done = require(evidence["main"])
    steps = field_of(done, "steps", int)
    n = field_of(done, "n_losses", int)
    first, last, worst, rate = (
        _number(done.data.get(k)) for k in ("first_loss", "last_loss", "worst_loss", "rate")
    )
    learns = n >= 2 and last < 0.93 * first
    if not steps:
        if learns:
            return Outcome.passed("the loss falls, without an optimizer of torch's")
        return Outcome.not_checked("not checked: no optimizer stepped while train_mnist ran")
    total, fed = field_of(done, "parameters", int), field_of(done, "fed", int)
    if total and fed < total:
        held = field_of(done, "held", int)
        why = "are not the optimizer's" if held < total else "are frozen"
        return Outcome.failed(
            f"of the {total} parameters of the model that train_mnist runs, {total - fed} {why}: "
            f"its steps do not reach them",
            "stale_optimizer",
        )
    bug = _rate_bug(field_of(done, "optimizer", str), rate)
    wild = not np.isfinite([last, worst]).all() or worst > 3 * max(first, 1.0)
    seen = wild or not learns if n >= 2 else not 1e-6 < rate < 0.3
    if bug and seen:
        fell = f"the loss went from {first:.4g} to {last:.4g} in {steps} steps"
        return Outcome.failed(f"at a learning rate of {rate:g} {fell}", bug)
    return Outcome.passed()


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "fit_history",
        lambda ctx: {"main": _request(ctx, scripted=True)},
        judge_history,
        "A dictionary with two lists; each epoch adds one number to each.",
        ("missing_name", "wrong_history"),
    ),
    StandardCheck(
        "fit_values",
        lambda ctx: {"main": _request(ctx, scripted=True)},
        judge_values,
        "Train on the training loader, then measure on the validation loader, and write both down.",
        ("wrong_history",),
    ),
    StandardCheck(
        "fit_modes",
        lambda ctx: {"main": _request(ctx, scripted=False)},
        judge_modes,
        "Training and evaluation each set the mode they need, every time.",
        ("missing_train_mode", "missing_eval_mode"),
    ),
    StandardCheck(
        "fit_plot",
        lambda ctx: {"main": ProbeRequest("fitting:plot", {"history": _history(ctx)})},
        judge_plot,
        "Draw both lists into one figure, and return the figure.",
        ("missing_name", "wrong_value"),
    ),
    StandardCheck(
        "train_setup",
        lambda ctx: {
            "main": ProbeRequest("training:setup", {"steps": SETUP_STEPS, "seed": ctx.seed})
        },
        judge_setup,
        "Model, loss, optimizer and loaders are made once, and meant for each other.",
        ("missing_name", "stale_optimizer", "lr_too_high", "lr_too_low"),
    ),
)
