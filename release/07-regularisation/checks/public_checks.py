"""The public checks of this assignment: they go into the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.checks.base import Context, Inconclusive, check, probe, require, tensor_of
from autograder.checks.forms import FunctionForm
from autograder.checks.loops import raised
from autograder.checks.reference.replay import number_of
from autograder.model import Array, Evidence, Outcome, ProbeRequest

EPOCHS = 3
FIT = FunctionForm(
    "fit_with_validation",
    ("model", "train_loader", "val_loader", "loss_fn", "optimizer", "epochs", "patience"),
)
ENDLESS = ("timeout", "memory")
"""What ended so is not tried again."""
SERIES = ("train_loss", "val_loss")


# -- task 1 ----------------------------------------------------------------------------------------


def shaped(evidence: Evidence, name: str, shape: tuple[int, ...]) -> Array:
    """What a layer gave, if it has the shape; else `Inconclusive`."""
    found = tensor_of(evidence, name)
    if found.shape != shape:
        raise Inconclusive(
            Outcome.failed(
                f"an input of shape {shape} gave an output of shape {found.shape}", "wrong_shape"
            )
        )
    return found


def ten_ones(ctx: Context) -> ProbeRequest:
    """Ask `Dropout(0.5)` about ten ones."""
    ones = np.ones(10, dtype=np.float32)
    return probe("dropout", {"p": 0.5, "seed": ctx.seed}, {"x": ones, "weight": ones})


@check(
    bugs=("missing_name", "wrong_shape", "wrong_dropout", "dropout_always_on"),
    help="In training ones become 0 or 2 at p = 0.5; in evaluation they stay ones.",
    main=ten_ones,
)
def dropout_example(ctx: Context, main: Evidence) -> Outcome:
    """Ten ones hold zeros and twos in training, and ones in evaluation."""
    done = require(main)
    for name in ("first", "second"):
        values = shaped(done, name, (10,))
        if not np.isin(np.round(values, 4), (0.0, 2.0)).all():
            return Outcome.failed(
                f"in training ten ones became {np.round(values, 2).tolist()}; right are 0 and 2",
                "wrong_dropout",
            )
    return evaluated(done, np.ones(10))


def evaluated(done: Evidence, given: Array) -> Outcome:
    """Whether evaluation gives the input back, to the last bit."""
    values = shaped(done, "evaluated", given.shape)
    if np.array_equal(values, given):
        return Outcome.passed()
    if (values == 0).any():
        return Outcome.failed(
            f"in evaluation {int((values == 0).sum())} of {values.size} entries became zero",
            "dropout_always_on",
        )
    factor = float(np.median(values / given))
    return Outcome.failed(
        f"in evaluation the input came out {factor:.3g} times as large; right on average, perhaps, "
        f"but evaluation leaves it as it is",
        "wrong_dropout",
    )


# -- task 4 ----------------------------------------------------------------------------------------


def fits(ctx: Context, name: str = "main", **values: int) -> dict[str, ProbeRequest]:
    """Ask for a few epochs on a fixture, with the student's own `EarlyStopping`, and with one that
    never stops in its place: that is looked at where the first did not run, so that a slip there
    costs its own checks.
    """
    values = values or {"epochs": EPOCHS, "patience": EPOCHS}
    made = FIT.request(ctx, "train" if name == "main" else name, **values)
    falling = [1 - 0.1 * k for k in range(values["epochs"])]
    stopper = {
        "stops": [False] * len(falling),
        "best": falling,
        "best_step": list(range(len(falling))),
    }
    ready = {**made.args, "stopper": stopper}
    return {
        name: ProbeRequest("own:fit", made.args, made.tensors),
        f"{name}/ready": ProbeRequest("own:fit", ready, made.tensors),
    }


def whole(evidence: Mapping[str, Evidence], name: str = "main") -> Evidence:
    """A fit: the student's own, or where that did not run, that over a ready-made stopper."""
    done = evidence[name]
    ran = done.status == "done" and not isinstance(done.data.get("raised"), dict)
    return done if ran or done.status in ENDLESS else evidence[f"{name}/ready"]


def returned_by_fit(done: Evidence) -> Mapping[str, Any]:
    """The entries of the history that a fit returned; `Inconclusive` where there are none."""
    error = done.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    told = done.data.get("returned")
    first = told[0] if isinstance(told, list) and told else {}
    items = first.get("items") if isinstance(first, dict) else None
    if not isinstance(items, dict):
        kind = str(first.get("kind", "nothing"))[:80] if isinstance(first, dict) else "nothing"
        raise Inconclusive(
            Outcome.failed(f"fit_with_validation returned {kind}, not a dict", "wrong_history")
        )
    return items


def series(items: Mapping[str, Any], name: str, epochs: int = EPOCHS) -> list[float]:
    """One list of the history; `Inconclusive` where it is not one number per epoch."""

    def refuse(why: str, bug: str = "wrong_history") -> Inconclusive:
        return Inconclusive(Outcome.failed(why[:300], bug))

    found = items.get(name)
    if not isinstance(found, dict):
        raise refuse(f"the history has the keys {sorted(items)}; '{name}' is missing")
    values = found.get("values")
    if not isinstance(values, list):
        raise refuse(f"'{name}' is a {str(found.get('kind'))[:80]}, not a list")
    if found.get("length") != epochs or len(values) != epochs:
        raise refuse(f"'{name}' has {found.get('length')} entries after {epochs} epochs")
    numbers = []
    for v in values:
        value = number_of(v.get("value")) if isinstance(v, dict) else float("nan")
        if not np.isfinite(value):
            kind = str(v.get("kind"))[:80] if isinstance(v, dict) else "nothing"
            raise refuse(f"'{name}' holds a {kind}, not finite numbers")
        if v.get("graph") is True:
            raise refuse(
                f"'{name}' holds tensors that still hang on their graphs; keep plain numbers",
                "loss_graph_accumulated",
            )
        numbers.append(value)
    return numbers


@check(
    bugs=("missing_name", "wrong_history", "loss_graph_accumulated"),
    help="Two lists with a number for each epoch that was run, best_epoch and stopped_early.",
    requests=fits,
)
def fit_history(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Two lists of one number per epoch, the number of an epoch, and a yes or no."""
    items = returned_by_fit(require(whole(evidence)))
    for name in SERIES:
        series(items, name)
    for name in ("best_epoch", "stopped_early"):
        if name not in items:
            return Outcome.failed(
                f"the history has the keys {sorted(items)}; '{name}' is missing"[:300],
                "wrong_history",
            )
    best = items["best_epoch"] if isinstance(items["best_epoch"], dict) else {}
    if number_of(best.get("value")) not in range(1, EPOCHS + 1):
        said = best.get("value", best.get("kind"))
        return Outcome.failed(
            f"'best_epoch' is {str(said)[:40]}; the epochs are numbered 1 to {EPOCHS}",
            "wrong_history",
        )
    return Outcome.passed()
