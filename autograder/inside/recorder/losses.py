"""What goes into a loss, and with which weight it is differentiated.

Theory. Every loss of PyTorch, layer or function, ends in a function of `torch.nn.functional`, so
watching those sees them all. Three things tell a right loss from a wrong one: what the inputs look
like (do rows sum to one, are all values in [0, 1], do shapes agree, which operation made them), the
value, and the gradient that arrives at the loss itself. That last is a single number: 1 for a plain
backward pass, 1/k for a loss divided by k accumulated batches, the scale where a GradScaler is in
use. A loss written by hand is not seen, but its difference of prediction and target is (`answers`).

The event is written before the loss is computed, so that one which raises is in the log.

Event: `loss` {fn, reduction, input, target: shapes, look: of the input ("logits", "probabilities",
"log_probabilities", "unit"), made: the operation that made the input, "" for none known, value,
rows, classes: how many different indices are in the target, high: the input's largest value, aim:
the look of a target that is a distribution ("" where it is none), logs: whether such a target is
said to be logarithms, grad: whether its result can be differentiated, weight (None until a gradient
arrives)}.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import _reduction
from torch.nn import functional as F

from .graphs import when_differentiated
from .hooks import After, Before, argument
from .light import plain
from .log import Event, Flight
from .tallies import Tallies
from .tensors import concrete, shape_of

LOSSES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
    "poisson_nll_loss",
    "gaussian_nll_loss",
    "ctc_loss",
    "soft_margin_loss",
    "multi_margin_loss",
    "multilabel_soft_margin_loss",
    "multilabel_margin_loss",
    "hinge_embedding_loss",
    "cosine_embedding_loss",
    "margin_ranking_loss",
    "triplet_margin_loss",
)
BATCH_SECOND = ("ctc_loss",)
"""Losses whose input is (time, batch, classes)."""
_NAMES = {name: tuple(inspect.signature(getattr(F, name)).parameters) for name in LOSSES}
"""The arguments of each loss, in order."""
TOLERANCE = 1e-3
HALVES = (torch.float16, torch.bfloat16)
SAME = ("View", "Squeeze", "Unsqueeze", "Reshape", "Transpose", "Permute", "TBackward", "Select")
ALIKE = (*SAME, "Slice", "Clone", "ToCopy", "Expand", "Index", "Alias", "Contiguous", "Flatten")
"""Operations that only rearrange values; their names begin with these."""
STEPS_CAP = 12


Dims = int | tuple[int, ...]


def look_of(values: torch.Tensor, dims: Sequence[Dims] = ()) -> str:
    """What scores look like along dim 1 (dim 0 of a vector), or along the first of `dims` that
    tells: "probabilities" (in [0, 1], sums of one), "log_probabilities" (their logarithms), "unit"
    (all in [0, 1]), else "logits".
    """
    x = values.detach()
    if x.ndim == 0 or x.numel() == 0 or x.is_complex():
        return "logits"
    x = x.float()
    near = 20 * TOLERANCE if values.dtype in HALVES else TOLERANCE
    low, high = float(x.min()), float(x.max())
    for dim in dims or (1 if x.ndim > 1 else 0,):
        whole = (dim,) if isinstance(dim, int) else dim
        if math.prod(x.shape[d] for d in whole) < 2:
            continue
        if low >= 0 and high <= 1 + near and float((x.sum(whole) - 1).abs().max()) < near:
            return "probabilities"
        # a class that cannot be has a logarithm of -inf, and is none the less one of them
        if high <= near and float((x.exp().sum(whole) - 1).abs().max()) < near:
            return "log_probabilities"
    return "unit" if low >= 0 and high <= 1 else "logits"


def _anywhere(values: torch.Tensor) -> list[Dims]:
    """The dimensions along which a distribution may lie, where nothing says which."""
    n = values.ndim
    several = [tuple(range(1, n)), (n - 2, n - 1), tuple(range(n))]
    return [*range(n - 1, -1, -1), *(d for d in several if n > 1)]


def made_by(values: torch.Tensor) -> str:
    """The name of the operation that made a tensor ("Softmax", "Addmm", …), looking through those
    that only rearrange values; "" where no graph tells.
    """
    node: Any = values.grad_fn
    for _ in range(STEPS_CAP):
        if node is None:
            return ""
        name = str(node.name())
        if not name.startswith(ALIKE):
            return name.partition("Backward")[0][:40]
        node = node.next_functions[0][0] if node.next_functions else None
    return ""


def _classes(target: torch.Tensor) -> int:
    """How many different class indices a batch holds; 0 where targets are no indices."""
    return int(target.detach().unique().numel()) if target.dtype == torch.int64 else 0  # type: ignore[no-untyped-call]


class Losses:
    """Watches the losses of `torch.nn.functional`. See the module."""

    name = "losses"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.tallies = Tallies(flight)

    def install(self) -> None:
        for name in LOSSES:
            self.flight.watch(F, name, self._computing(name), self._computed(name))

    def _computing(self, fn: str) -> Before:
        def before(args: Any, kwargs: Any) -> Event | None:
            return self._enter(fn, args, kwargs) if self.flight.close else None

        return before

    def _enter(self, fn: str, args: Any, kwargs: Any) -> Event | None:
        given = _argument(fn, args, kwargs, _NAMES[fn][0])
        target = _argument(fn, args, kwargs, _NAMES[fn][1])
        if not isinstance(given, torch.Tensor) or not isinstance(target, torch.Tensor):
            return None
        seen = concrete(given) and concrete(target)
        divergence = fn == "kl_div" and seen
        dims = _anywhere(given) if divergence else [given.ndim - 1] if fn in BATCH_SECOND else []
        return self.flight.add(
            "loss",
            fn=fn,
            reduction=_how(fn, args, kwargs),
            input=shape_of(given),
            target=shape_of(target),
            dtype=str(target.dtype)[6:],
            classes=_classes(target) if seen else 0,
            look=look_of(given, dims) if seen else "",
            made=made_by(given) if seen else "",
            high=plain(given.detach().max()) if seen and given.numel() else None,
            aim=look_of(target, _anywhere(target)) if divergence else "",
            logs=_logs(fn, args, kwargs),
            value=None,
            numbers=given.numel(),
            rows=_rows(fn, given),
            grad=False,
            weight=None,
        )

    def _computed(self, fn: str) -> After:
        def after(event: Event | None, args: Any, kwargs: Any, result: Any) -> None:
            if not isinstance(result, torch.Tensor) or not concrete(result):
                return
            value: float | None = None
            if result.ndim == 0:
                value = result.item()
                given = _argument(fn, args, kwargs, _NAMES[fn][0])
                rows = _rows(fn, given) if isinstance(given, torch.Tensor) else 1
                summed = _how(fn, args, kwargs) == "sum"
                self.tallies.add(("loss", fn, result.requires_grad, summed), value, rows)
            if event is None:
                self.flight.counts["loss"] += not self.flight.close
            else:
                event["value"] = plain(result.detach().mean() if value is None else value)
                self._follow(event, result)

        return after

    def _follow(self, event: Event, result: torch.Tensor) -> None:
        """Have the gradient that arrives at a loss noted in its event."""
        event["grad"] = result.requires_grad
        if not result.requires_grad:
            return

        def noted(gradient: torch.Tensor) -> None:
            # of a loss without reduction, what arrives at all its entries together
            event["weight"] = plain(gradient.detach().sum())

        when_differentiated(result, lambda gradient: self.flight.aside(noted, gradient))

    def report(self) -> dict[str, Any]:
        return {}


def _rows(fn: str, given: torch.Tensor) -> int:
    """Samples in the input of a loss; one without a dimension is one."""
    at = 1 if fn in BATCH_SECOND and given.ndim == 3 else 0
    return int(given.shape[at]) if given.ndim else 1


def _argument(fn: str, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """An argument of a loss by its name; None where it has none of that name or was not given."""
    at = _NAMES[fn].index(name) if name in _NAMES[fn] else len(args)
    return argument(args, kwargs, at, name, None)


def _how(fn: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """How a loss is reduced, also where the arguments of old are used for it."""
    if len(args) == 2 and not kwargs:
        return "mean"
    old = [_argument(fn, args, kwargs, name) for name in ("size_average", "reduce")]
    if any(value is not None for value in old):
        return _reduction.legacy_get_string(old[0], old[1], emit_warning=False)
    return str(_argument(fn, args, kwargs, "reduction") or "mean")[:20]


def _logs(fn: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a loss is told that what it gets are logarithms: `log_target`, or `log_input`."""
    if fn == "poisson_nll_loss":
        told = _argument(fn, args, kwargs, "log_input")
        return told is None or bool(told)
    return bool(_argument(fn, args, kwargs, "log_target"))
