"""Accuracy on hidden images, which a network reaches by its weights and not by its word.

Theory. A program may answer by whatever it likes: by the nearest of its training images, say. So
its answers decide nothing. The box is asked about images of random pixels, and writes down by which
operations, with which numbers, its network answers them, and how it had prepared them. That network
is then run here on the hidden images, prepared in the same way (`reference.operations`,
`reference.images.followed`): neither they nor their labels are in the box. Where what was
written down is no network, or answers otherwise than the box did, the program's own word is asked
for: it counts against the program, and where it would count in its favour, a person decides.

Full marks from the calibrated threshold, none below the floor, and a straight line in between.
Where no images are set aside, or no threshold was measured for exactly this data, the check is
`deferred` and counts on neither side.

From accuracies a_1..a_n of the reference, each from another seed:

    threshold = mean(a) - MARGIN - k * std(a)         full marks from here
    floor     = chance + (threshold - chance) / 2     no marks below

k is that of a one-sided tolerance bound (`tolerance`). MARGIN covers how far the mean of a correct
program may lie below that of the reference, by what the handout leaves open (initialisation,
normalisation, order of the batches, clipping), and k * std(a) the luck of one seed: of a correct
program that scatters as the reference does, at most one run in 1,000 lies below the threshold
(SHARE_ABOVE), with a confidence of CONFIDENCE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ..model import Array, Evidence, Outcome, ProbeRequest, Status
from .base import Calibration, Context, Inconclusive, Option, check, require, tensor_of
from .reference.images import followed
from .reference.network import agree
from .reference.operations import Unknown, read_network
from .tolerance import tolerance_factor

SHARE_ABOVE, CONFIDENCE = 0.999, 0.95
"""Of all runs of the reference, how many reach the threshold, and how sure that is. Few runs have a
large k (7.5 for 5 of them, 5.2 for 10, 4.0 for 30): a threshold from little is a low one."""
MARGIN = 0.05
"""Of the correct samples of 04, 05 and 06, three to ten runs each on the built-in digits, the
lowest mean lies 0.040 below that of the reference (06: its gradients are clipped), the next 0.010.
Of 28 correct programs of 05 by unlike writers, one run each, the lowest lay 0.040 below it,
clipped, too, and the others at most 0.014."""
CHANCE = 0.1
ASKED = 61
"""Images that a box is asked about: a prime, so that no other size of a network is the same."""
IMAGE, SHARE, NUMBERS_CAP = 784, 3, 2_000_000
"""A network may hold a third as many numbers as the training images have pixels: then they do not
fit into it, and it has to learn."""
FOR_A_PERSON = "your network could not be run again by its weights alone; a person looks at it"


def from_accuracies(
    accuracies: Sequence[float], measured: Mapping[str, str] = MappingProxyType({})
) -> Calibration:
    """The calibration that measured accuracies, in [0, 1], stand for (see the module's header).

    `measured` says where they were measured. Raises `ValueError` for what is no accuracy, and for
    none at all.
    """
    a = np.asarray(accuracies, dtype=np.float64)
    if a.ndim != 1 or not len(a) or not ((a >= 0) & (a <= 1)).all():
        raise ValueError(f"accuracies are a list of numbers from 0 to 1, not {accuracies}")
    a = a.round(4)  # as they are written down: what is read again gives the same threshold
    threshold = max(CHANCE, float(a.mean()) - MARGIN - luck(a.tolist()))
    floor = CHANCE + (threshold - CHANCE) / 2
    return Calibration(tuple(a.tolist()), round(threshold, 4), round(floor, 4), measured)


def luck(accuracies: Sequence[float]) -> float:
    """How far below their mean the seed alone may bring a run: k * std(a), 0 for a single run."""
    n = len(accuracies)
    if n < 2:
        return 0.0
    spread = float(np.std(np.asarray(accuracies, dtype=np.float64), ddof=1))
    return tolerance_factor(n, SHARE_ABOVE, CONFIDENCE) * spread


def _asked(ctx: Context) -> Array:
    """Images (ASKED, 28, 28) uint8 of random pixels: every pixel takes every value."""
    return ctx.rng("asked images").integers(0, 256, (ASKED, 28, 28), dtype=np.uint8)


def network_request(ctx: Context) -> ProbeRequest:
    """The probe that writes down what the trained network computes. No hidden image goes in.

    Options of the check: `model`, the global that is the trained model; `trainer`, a function
    without arguments whose first result is one, where there is no such global; `classes`.
    """
    assert ctx.hidden is not None
    pixels = ctx.hidden.images.astype(np.float64)
    args = {
        "model": ctx.option("model"),
        "trainer": ctx.option("trainer"),
        "pixels": [round(float(pixels.mean()), 3), round(float(pixels.std()), 3)],
    }
    return ProbeRequest("accuracy:network", args, {"images": _asked(ctx)})


def hidden_request(ctx: Context) -> ProbeRequest:
    """The probe that brings back logits of the trained model on the hidden images: its own word."""
    assert ctx.hidden is not None
    args = {"model": ctx.option("model"), "trainer": ctx.option("trainer")}
    return ProbeRequest("accuracy:predictions", args, {"images": ctx.hidden.images})


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    if ctx.hidden is None:
        return {}
    return {"main": network_request(ctx), "claimed": hidden_request(ctx)}


def accuracy_of(ctx: Context, evidence: Evidence) -> float:
    """The share of hidden images, in [0, 1], that the network gets right which a box wrote down.

    Raises `Unknown` where it cannot be said what it computes, or answers otherwise than it was
    written down, `Inconclusive` where the evidence is none.
    """
    assert ctx.hidden is not None
    done, labels, classes = require(evidence), ctx.hidden.labels, int(ctx.option("classes"))
    told = tensor_of(done, "logits").astype(np.float64)
    if told.shape != (ASKED, classes):
        raise Inconclusive(
            Outcome.failed(
                f"the model gives {told.shape} for {ASKED} images, not ({ASKED}, {classes})",
                "wrong_shape",
            )
        )
    data = ctx.assignment.data
    network = read_network(done, NUMBERS_CAP if data is None else data.train * IMAGE // SHARE)
    samples = tensor_of(done, "samples").astype(np.float64)
    if samples.ndim < 2 or len(samples) != ASKED:
        raise Unknown("its images are not as many as they were")
    asked, hidden = (
        images.reshape(len(images), -1).astype(np.float64)
        for images in (_asked(ctx), ctx.hidden.images)
    )
    prepared = followed(samples.reshape(ASKED, -1), asked)
    if prepared is None:
        raise Unknown("its images are prepared in a way that cannot be followed")
    if not agree(network.answers(samples), told, reduced=network.reduced):
        raise Unknown("its answers are not those of its weights")
    rows = network.answers(prepared(hidden).reshape(len(hidden), *samples.shape[1:]))
    if rows.shape != (len(labels), classes):
        raise Unknown("its answers to other images have another shape")
    return _share(rows, labels)


def _claimed(ctx: Context, evidence: Evidence) -> float:
    """The share that the model gets right by its own word; 0 where it has none."""
    assert ctx.hidden is not None
    shape = (len(ctx.hidden.labels), int(ctx.option("classes")))
    logits = evidence.tensors.get("logits")
    if evidence.status != "done" or logits is None or logits.shape != shape:
        return 0.0
    return _share(logits.astype(np.float64), ctx.hidden.labels)


def _share(logits: Array, labels: Array) -> float:
    """The share of rows whose largest number is at the label; one with a number that is not finite
    counts as wrong.
    """
    sound = np.isfinite(logits).all(axis=1)
    return float(((logits.argmax(axis=1) == labels) & sound).mean())


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
    ),
    calibrated=True,
)
def accuracy(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """How many images the trained model gets right that it has never seen."""
    if ctx.hidden is None:
        return Outcome(Status.DEFERRED, 0.0, (), "no hidden images are set aside here")
    if ctx.calibration is None:
        return Outcome(Status.DEFERRED, 0.0, (), "no threshold has been measured for this data")
    threshold, floor = ctx.calibration.threshold, ctx.calibration.floor
    bar = f"of {len(ctx.hidden.labels)} hidden images; full marks from {threshold:.1%}"
    try:
        reached = accuracy_of(ctx, evidence["main"])
    except Unknown as e:
        reached = _claimed(ctx, evidence["claimed"])
        if reached > floor:
            flag = f"by its own word it gets {reached:.1%} {bar}; this was not believed: {e}"
            return Outcome(Status.BY_HAND, 0.0, (), FOR_A_PERSON, flag=flag)
    said = f"{reached:.1%} {bar}"
    if reached >= threshold:
        outcome = Outcome.passed(said)
    elif reached <= floor:
        outcome = Outcome.failed(f"{said}, none up to {floor:.1%}")
    else:
        outcome = Outcome.partial((reached - floor) / (threshold - floor), said)
    return replace(outcome, value=reached)
