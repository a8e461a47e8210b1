"""Accuracy on hidden images: predictions come from the box, labels never enter it.

Full marks from the calibrated threshold, none below the floor, and a straight line in between.
Where no images are set aside, or no threshold was measured for exactly this data, the check is
`deferred` and counts on neither side.

Where the handout fixes the network to the last layer (option `layers`), the box is asked for its
final weights instead of its predictions, and the predictions are made here.

From accuracies a_1..a_n of the reference, each from another seed:

    threshold = mean(a) - max(MARGIN, 4 * std(a))     full marks from here
    floor     = chance + (threshold - chance) / 2     no marks below

MARGIN covers correct programs that differ from the reference in what the handout leaves open
(initialisation, normalisation, order of the batches).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..model import Array, Evidence, Outcome, ProbeRequest, Status
from .base import Calibration, Context, HiddenData, Inconclusive, Option, check, require, tensor_of

MARGIN = 0.04
CHANCE = 0.1


def from_accuracies(accuracies: Sequence[float]) -> Calibration:
    """The calibration that measured accuracies stand for (see the module's header)."""
    a = np.asarray(accuracies, dtype=np.float64)
    spread = float(a.std(ddof=1)) if len(a) > 1 else 0.0
    threshold = max(CHANCE, float(a.mean()) - max(MARGIN, 4 * spread))
    floor = CHANCE + (threshold - CHANCE) / 2
    return Calibration(tuple(round(float(x), 4) for x in a), round(threshold, 4), round(floor, 4))


def hidden_request(ctx: Context) -> ProbeRequest:
    """The probe that brings back logits of the trained model on the hidden images.

    Options of the check: `model`, the global that is the trained model; `trainer`, a function
    without arguments whose first result is one, where there is no such global; `classes`;
    `layers`, the sizes of a chain of linear layers with ReLU between, computed outside.
    """
    assert ctx.hidden is not None
    args: dict[str, Any] = {"model": ctx.option("model"), "trainer": ctx.option("trainer")}
    if ctx.option("layers"):
        args["weights"] = True
    return ProbeRequest("accuracy:predictions", args, {"images": ctx.hidden.images})


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    if ctx.hidden is None:
        return {}
    return {"main": hidden_request(ctx)}


def _computed(evidence: Evidence, sizes: Sequence[int], count: int) -> Array:
    """Logits (count, classes) of the final weights: linear layers of these `sizes`, ReLU between.

    Raises `Inconclusive` where the weights are not those of such layers.
    """
    weights = tensor_of(evidence, "weights", (None,)).astype(np.float64)
    samples = tensor_of(evidence, "samples")
    if len(weights) != sum((a + 1) * b for a, b in pairwise(sizes)):
        raise Inconclusive(
            Outcome.failed(
                f"the network has {len(weights):,} parameters, not those of the layers "
                f"{' to '.join(map(str, sizes))}",
                "wrong_architecture",
            )
        )
    if samples.size != count * sizes[0]:
        raise Inconclusive(
            Outcome.failed(f"{count} images were prepared as {samples.shape}", "wrong_shape")
        )
    x = samples.astype(np.float64).reshape(count, sizes[0])
    at = 0
    for depth, (a, b) in enumerate(pairwise(sizes)):
        w, bias = weights[at : at + a * b].reshape(b, a), weights[at + a * b : at + a * b + b]
        x = np.nan_to_num((x if depth == 0 else np.maximum(x, 0)) @ w.T + bias, nan=np.inf)
        at += (a + 1) * b
    return np.asarray(x)


def accuracy_of(
    evidence: Evidence, hidden: HiddenData, classes: int = 10, layers: Sequence[int] = ()
) -> float:
    """The share of hidden images whose largest logit is at the label; in [0, 1]. With `layers`,
    the logits are computed here from the final weights.

    Raises `Inconclusive` where the evidence is no (N, classes) array. A row with a number that
    is not finite counts as wrong.
    """
    done = require(evidence)
    if layers:
        rows = _computed(done, layers, len(hidden.labels))
        sound = np.isfinite(rows).all(axis=1)
        return float(((rows.argmax(axis=1) == hidden.labels) & sound).mean())
    logits = done.tensors.get("logits")
    if logits is not None and logits.shape != (len(hidden.labels), classes):
        raise Inconclusive(
            Outcome.failed(
                f"the model gives {logits.shape} for {len(hidden.labels)} images, "
                f"not ({len(hidden.labels)}, {classes})",
                "wrong_shape",
            )
        )
    rows = tensor_of(done, "logits", (len(hidden.labels), classes)).astype(np.float64)
    sound = np.isfinite(rows).all(axis=1)
    return float(((rows.argmax(axis=1) == hidden.labels) & sound).mean())


@check(
    family="accuracy",
    help="The trained model was asked about images it has never seen. If its accuracy there is far "
    "below what your own evaluation prints, look at what differs between the two; if both are low, "
    "look at the loop first: every beat, once per batch, in order.",
    requests=_requests,
    options=(
        Option("model", str, "the global that is the trained model", "model"),
        Option("trainer", str, "a function without arguments whose first result is the model"),
        Option("classes", int, "the number of classes", 10),
        Option("layers", list, "sizes of the layers, where the handout fixes the network"),
    ),
    calibrated=True,
)
def accuracy(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """How many images the trained model gets right that it has never seen."""
    if ctx.hidden is None:
        return Outcome(Status.DEFERRED, 0.0, (), "no hidden images are set aside here")
    if ctx.calibration is None:
        return Outcome(Status.DEFERRED, 0.0, (), "no threshold has been measured for this data")
    classes, layers = int(ctx.option("classes")), tuple(ctx.option("layers", ()))
    reached = accuracy_of(evidence["main"], ctx.hidden, classes, layers)
    threshold, floor = ctx.calibration.threshold, ctx.calibration.floor
    said = (
        f"{reached:.1%} of {len(ctx.hidden.labels)} hidden images; full marks from {threshold:.1%}"
    )
    if reached >= threshold:
        outcome = Outcome.passed(said)
    elif reached <= floor:
        outcome = Outcome.failed(f"{said}, none up to {floor:.1%}")
    else:
        outcome = Outcome.partial((reached - floor) / (threshold - floor), said)
    return replace(outcome, value=reached)
