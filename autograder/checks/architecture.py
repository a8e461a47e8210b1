"""Checks of a model class: shape, registered parameters, raw logits, nonlinearity, rows.

All five share one run of one probe, and their options.

Each property is judged from numbers, not from the text of the class, so a `Sequential`, a
hand-written matrix product and a loop over a `ModuleList` are all the same to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, ProbeRequest
from .base import (
    Context,
    Inconclusive,
    Judge,
    Option,
    StandardCheck,
    check,
    field_of,
    require,
    tensor_of,
)
from .reference.network import Sample, identify

IMAGES, WIDE, QUADS = 7, 64, 8
WEIGHTS_CAP = 2_000_000
_SOFTMAX = "softmax_before_cross_entropy"
SAME = 1e-4
"""Relative: float32 sums in another order differ by less than a hundredth of this."""

Floats = NDArray[np.float64]


def requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    """One build of the class and its answers on secret images."""
    options = {
        "class": ctx.option("class"),
        "kwargs": ctx.option("kwargs"),
        "attributes": ctx.option("attributes"),
    }
    shape = tuple(ctx.option("input"))
    seed = int(ctx.rng("architecture").integers(2**62))
    return {"main": _request(seed, shape, json.dumps(options))}


@lru_cache(maxsize=64)
def _request(seed: int, shape: tuple[int, ...], options: str) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(0, 1, (QUADS, *shape)) for _ in range(2))
    args = {**json.loads(options), "seed": int(rng.integers(2**31))}
    tensors = {
        "images": rng.random((IMAGES, *shape)).astype(np.float32),
        "wide": rng.normal(0, 3, (WIDE, *shape)).astype(np.float32),
        "points": np.concatenate([0 * a, a, b, a + b]).astype(np.float32),
    }
    return ProbeRequest("architecture:forward", args, tensors)


def _answers(ctx: Context, evidence: Evidence, name: str, rows: int) -> Floats:
    """A finite (rows, classes) answer, in float64."""
    if evidence.status != "done":
        raise Inconclusive(
            Outcome.not_checked("not checked: the model could not be built or called")
        )
    found = tensor_of(evidence, name).astype(np.float64)
    if found.ndim != 2 or len(found) != rows or not found.size:
        raise Inconclusive(
            Outcome.not_checked(f"not checked: {rows} images gave an output of shape {found.shape}")
        )
    if not np.isfinite(found).all():
        raise Inconclusive(Outcome.failed("the model's output holds nan or infinity"))
    return np.asarray(found)


def judge_shape(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """(B, classes), float32, the number of parameters, the attributes asked for."""
    done = require(evidence["main"])
    name, classes = ctx.option("class"), int(ctx.option("classes"))
    shape, dtype = field_of(done, "shape", list), field_of(done, "dtype", str)
    if shape != [IMAGES, classes]:
        return Outcome.failed(
            f"{IMAGES} images gave an output of shape {tuple(shape)}; "
            f"({IMAGES}, {classes}) is asked for",
            "wrong_shape",
        )
    if dtype != "float32":
        return Outcome.failed(f"the output is {dtype[:20]}, not float32", "wrong_architecture")
    missing = [str(m) for m in field_of(done, "missing", list)]
    if missing:
        return Outcome.failed(f"{name} has no attribute {', '.join(missing)}", "wrong_architecture")
    want = ctx.option("parameters")
    count = field_of(done, "registered", int) + field_of(done, "stray_size", int)
    if want is not None and count != want:
        return Outcome.failed(
            f"{name} has {count:,} parameters; the layers of the handout have {want:,}",
            "wrong_architecture",
        )
    return Outcome.passed()


def judge_registered(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whatever the output depends on and can learn is listed by `parameters()`."""
    done = evidence["main"]
    _answers(ctx, done, "logits", IMAGES)
    strays = [tuple(s) for s in field_of(done, "strays", list) if isinstance(s, list)]
    if strays:
        listed = field_of(done, "registered", int)
        return Outcome.failed(
            f"the output depends on {len(strays)} tensors that parameters() does not list, of "
            f"shapes {', '.join(map(str, strays[:6]))}; it lists {listed:,} numbers",
            "unregistered_modules",
        )
    if not field_of(done, "registered", int):
        return Outcome.failed("parameters() lists nothing to train", "unregistered_modules")
    return Outcome.passed()


def _sums_to_one(logits: Floats, axis: int) -> bool:
    return bool(np.allclose(logits.sum(axis=axis), 1.0, atol=1e-3))


def judge_logits(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """No softmax, sigmoid, tanh or ReLU after the last layer; log-softmax does no harm."""
    wide = _answers(ctx, evidence["main"], "wide", WIDE)
    low, high = float(wide.min()), float(wide.max())
    if low >= 0 and (_sums_to_one(wide, 1) or _sums_to_one(wide, 0)):
        return Outcome.failed(
            f"the outputs are probabilities: between {low:.2g} and {high:.2g}, and they sum to 1",
            "softmax_into_nll" if evidence["main"].data.get("nll") else _SOFTMAX,
        )
    if low >= 0:
        what = "between 0 and 1" if high <= 1 else "negative"
        never = "all" if high <= 1 else "never"
        return Outcome.failed(
            f"over {WIDE} large random images the outputs are {never} {what}: something follows "
            f"the last layer",
            "wrong_architecture",
        )
    if max(-low, high) <= 1.0 + SAME:
        return Outcome.failed(
            "over large random images no output leaves [-1, 1]: something follows the last layer",
            "wrong_architecture",
        )
    return Outcome.passed()


def _undone(points: Floats) -> Floats:
    """The numbers before a final softmax or sigmoid, up to a constant per row."""
    if points.min() > 0 and points.max() < 1 and not _sums_to_one(points, 1):
        return np.asarray(np.log(points) - np.log1p(-points))
    if points.min() >= 0 and _sums_to_one(points, 1):
        points = np.log(np.maximum(points, 1e-30))
    return np.asarray(points - points.mean(axis=1, keepdims=True))


def judge_nonlinearity(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """An affine map keeps f(a) + f(b) - f(0) = f(a + b); a network with a bend does not."""
    points = _undone(_answers(ctx, evidence["main"], "points", 4 * QUADS))
    zero, a, b, both = np.split(points, 4)
    scale = float(np.abs(np.concatenate([a - zero, b - zero])).max())
    if scale < 1e-9:
        return Outcome.failed("the output does not depend on the image", "wrong_architecture")
    bend = float(np.abs(a + b - zero - both).max()) / scale
    if bend < 1e-3:
        return Outcome.failed(
            f"the network is an affine map: f(a) + f(b) - f(0) equals f(a + b) to within "
            f"{bend:.0e} of its size",
            "no_nonlinearity",
        )
    flat = _flat_layers(ctx, evidence["main"])
    if flat:
        return Outcome.failed(
            f"of its layers, {' and '.join(map(str, flat))} and the next have no nonlinearity "
            f"between them: the two are one affine map",
            "no_nonlinearity",
        )
    return Outcome.passed()


def _flat_layers(ctx: Context, evidence: Evidence) -> list[int]:
    """The linear layers, from 1, that nothing follows before the next, in a chain of such layers
    whose answers are known; none where the network is no such chain.
    """
    raw = evidence.data.get("shapes")
    if not isinstance(raw, list) or "weights" not in evidence.tensors:
        return []
    shapes = tuple(tuple(s) for s in raw if isinstance(s, list) and s)
    sound = all(isinstance(n, int) and 0 < n <= WEIGHTS_CAP for s in shapes for n in s)
    if not sound or not shapes or len(shapes) != len(raw) or len(shapes[0]) != 2:
        return []
    weights = tensor_of(evidence, "weights").astype(np.float64)
    images = requests(ctx)["main"].tensors["images"].reshape(IMAGES, -1).astype(np.float64)
    if weights.shape != (sum(math.prod(s) for s in shapes),) or shapes[0][1] != images.shape[1]:
        return []
    answers = _answers(ctx, evidence, "logits", IMAGES)
    seen = Sample(weights, np.zeros(shapes[0][0]), images, answers, training=False)
    chain = identify(shapes, [seen])
    activations = chain.activations if chain is not None else ()
    return [k for k, name in enumerate(activations, 1) if name == "none"]


def judge_rows(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Each row of the output is made from the same row of the input and from nothing else."""
    done = evidence["main"]
    logits, again, changed = (
        _answers(ctx, done, name, IMAGES) for name in ("logits", "again", "changed")
    )
    for other in (again, changed):
        if other.shape != logits.shape:
            return Outcome.failed(
                f"{IMAGES} images gave an output of shape {logits.shape} in one call and of shape "
                f"{other.shape} in another",
                "wrong_shape",
            )
    scale = float(np.abs(logits - logits.mean()).max()) or 1.0
    if np.abs(again - logits).max() / scale > SAME:
        return Outcome.failed(
            "the same images gave two different answers in evaluation mode", "dropout_always_on"
        )
    others = np.abs(changed[1:] - logits[1:]).max(axis=1) / scale
    if others.max() > SAME:
        return Outcome.failed(
            f"one image of {IMAGES} was replaced, and the outputs of "
            f"{int((others > SAME).sum())} other images changed",
            "batch_mixing",
        )
    if np.abs(changed[0] - logits[-1]).max() / scale > SAME:
        return Outcome.failed(
            "the same image gave different outputs at two places of the batch", "batch_mixing"
        )
    return Outcome.passed()


OPTIONS = (
    Option("class", str, "the name of the class, or of a global that is a network", needed=True),
    Option("kwargs", dict, "the arguments of its constructor", {}),
    Option("input", list, "the shape of one image", [1, 28, 28]),
    Option("classes", int, "the number of logits", 10),
    Option("parameters", int, "how many parameters there must be"),
    Option("attributes", list, "names that the model must have", []),
)


def _question(ask: str, help: str, *bugs: str) -> Callable[[Judge], StandardCheck]:
    return check(family="module", ask=ask, help=help, bugs=bugs, requests=requests, options=OPTIONS)


module_shape = _question(
    "shape",
    "Print the model, and the shape after each layer for a batch of two images.",
    "wrong_shape",
    "wrong_architecture",
    "missing_name",
)(judge_shape)
module_registered = _question(
    "registered",
    "A module lists the layers that are set as its attributes.",
    "unregistered_modules",
)(judge_registered)
module_logits = _question(
    "logits",
    "Cross-entropy wants the last layer's numbers as they are.",
    "softmax_before_cross_entropy",
    "wrong_architecture",
)(judge_logits)
module_nonlinear = _question(
    "nonlinear",
    "Without a bend between them, layers collapse into one.",
    "no_nonlinearity",
)(judge_nonlinearity)
module_rows = _question(
    "rows",
    "Keep the first dimension first, and flatten the others.",
    "batch_mixing",
    "dropout_always_on",
    "wrong_shape",
)(judge_rows)
