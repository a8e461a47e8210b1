"""Judges of `train_loader` and `test_loader`: shapes, sizes and order.

The order of training images must differ between two iterations: any way to get there passes, the
evidence is the order itself. An evaluation loader in random order changes no accuracy, so that is
a remark and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..model import Evidence, Outcome, ProbeRequest
from .base import Context, Judge, Option, Requests, StandardCheck, check, field_of, require


def _shape_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": ProbeRequest("loaders:shapes")}


def _order_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    seed = int(ctx.rng("loaders").integers(2**31))
    return {"main": ProbeRequest("loaders:orders", {"seed": seed})}


def _shape(value: Any) -> str:
    """A shape as the evidence tells it, in words."""
    return str(tuple(value[:8]))[:80] if isinstance(value, list) else "unknown"


def _wrong_shape(name: str, told: Mapping[str, Any], want: int) -> str:
    """What is wrong with a loader's first batch and its size, or ""."""
    if told.get("pair") is not True:
        return f"{name} does not give pairs of tensors (images, labels)"
    size, seen = told.get("size"), told.get("seen")
    batch = min(want, size) if isinstance(size, int) else want
    if told.get("images") != [batch, 1, 28, 28]:
        return (
            f"the first images of {name} have the shape {_shape(told.get('images'))}, "
            f"not ({batch}, 1, 28, 28)"
        )
    if told.get("image_type") != "float32":
        return f"the images of {name} are {told.get('image_type')}, not float32"
    if told.get("labels") != [batch] or told.get("label_type") != "int64":
        return (
            f"the first labels of {name} are {told.get('label_type')} of shape "
            f"{_shape(told.get('labels'))}, not int64 of shape ({batch},)"
        )
    if name == "test_loader" and isinstance(size, int) and seen != size:
        return f"one pass over {name} gives {seen} of its {size} images"
    return ""


def _judge_shape(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether `train_loader` and `test_loader` give batches of the right shape and size."""
    main = require(evidence["main"])
    for name, option in (("train_loader", "train"), ("test_loader", "test")):
        problem = _wrong_shape(name, field_of(main, name, dict), int(ctx.option(option)))
        if problem:
            return Outcome.failed(problem, "wrong_shape")
    return Outcome.passed()


def _judge_shuffled(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether two passes over `train_loader` differ in order."""
    told = field_of(require(evidence["main"]), "train_loader", dict)
    batches = told.get("batches")
    if told.get("same") is False or (type(batches) is int and batches == 1):
        return Outcome.passed()  # with one batch an epoch, order changes nothing
    return Outcome.failed(
        f"two epochs over train_loader gave the same {told.get('images')} images in the same order",
        "train_not_shuffled",
    )


def _judge_eval_order(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether two passes over `test_loader` keep one order."""
    told = field_of(require(evidence["main"]), "test_loader", dict)
    if told.get("same") is True:
        return Outcome.passed()
    return Outcome.failed(
        "two passes over test_loader gave different orders; it costs no points, but two "
        "evaluations can no longer be compared image by image",
        "eval_shuffled",
    )


def _question(
    ask: str, help: str, *bugs: str, requests: Requests, options: tuple[Option, ...] = ()
) -> Callable[[Judge], StandardCheck]:
    return check(
        family="program", ask=ask, help=help, bugs=bugs, requests=requests, options=options
    )


program_loaders = _question(
    "loaders",
    "A loader hands out batches: images of shape (B, 1, 28, 28) as float32, and one int64 label "
    "for each. The last batch of a pass may be shorter, and in an evaluation none may be left out. "
    "Print the shape and dtype of the first batch before you build on it.",
    "wrong_shape",
    "missing_name",
    requests=_shape_requests,
    options=(
        Option("train", int, "images in a batch of `train_loader`", 128),
        Option("test", int, "images in a batch of `test_loader`", 256),
    ),
)(_judge_shape)
program_loader_shuffled = _question(
    "loader_shuffled",
    "A loader that shuffles gives each epoch its own order of the training images.",
    "train_not_shuffled",
    "missing_name",
    requests=_order_requests,
)(_judge_shuffled)
program_loader_in_order = _question(
    "loader_in_order",
    "Evaluation needs no shuffling: the accuracy is the same, and an order that stays lets you "
    "compare two models image by image.",
    "eval_shuffled",
    "missing_name",
    requests=_order_requests,
)(_judge_eval_order)
