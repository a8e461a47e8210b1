"""What goes into a loss, and with which weight it is differentiated.

Theory. Every loss of PyTorch, layer or function, ends in a function of `torch.nn.functional`, so
watching those sees them all. Three things tell a right loss from a wrong one: what the inputs look
like (do rows sum to one, are all values in [0, 1], do shapes agree), the value, and the gradient
that arrives at the loss itself. That last is a single number: 1 for a plain backward pass, 1/k for
a loss divided by k accumulated batches, the scale where a GradScaler is in use.

Event: `loss` {fn, reduction, input, target: shapes, look: of the input ("logits", "probabilities",
"log_probabilities", "unit"), value, rows, weight (None until a gradient arrives), root}.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional as F

from ..recorder import plain
from .hooks import After, argument
from .log import Flight

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
)
TOLERANCE = 1e-3


def look_of(values: torch.Tensor) -> str:
    """What scores look like, along dim 1 (dim 0 of a vector): "probabilities" (in [0, 1], sums of
    one), "log_probabilities" (their logarithms), "unit" (all in [0, 1]), else "logits".
    """
    x = values.detach().float()
    if x.ndim == 0 or x.numel() == 0:
        return "logits"
    dim = 1 if x.ndim > 1 else 0
    classes = x.shape[dim]
    low, high = float(x.min()), float(x.max())
    if classes > 1 and low >= 0 and high <= 1 + TOLERANCE:
        sums = x.sum(dim)
        if float((sums - 1).abs().max()) < TOLERANCE:
            return "probabilities"
    if classes > 1 and high <= TOLERANCE and math.isfinite(low):
        sums = x.exp().sum(dim)
        if float((sums - 1).abs().max()) < TOLERANCE:
            return "log_probabilities"
    return "unit" if low >= 0 and high <= 1 else "logits"


class Losses:
    """Watches the losses of `torch.nn.functional`. See the module."""

    name = "losses"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._inside = 0

    def install(self) -> None:
        for name in LOSSES:
            self.flight.watch(F, name, after=self._computing(name))

    def _computing(self, fn: str) -> After:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            self._computed(fn, args, kwargs, result)

        return after

    def _computed(self, fn: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        if not self.flight.close or not isinstance(result, torch.Tensor):
            self.flight.counts["loss"] += 1
            return
        given = argument(args, kwargs, 0, "input", None)
        target = argument(args, kwargs, 1, "target", None)
        if not isinstance(given, torch.Tensor) or not isinstance(target, torch.Tensor):
            return
        event = self.flight.add(
            "loss",
            fn=fn,
            reduction=str(kwargs.get("reduction", "mean"))[:20],
            input=list(given.shape)[:6],
            target=list(target.shape)[:6],
            dtype=str(target.dtype)[6:],
            look=look_of(given),
            value=plain(result.detach().mean()),
            numbers=given.numel(),
            rows=int(given.shape[0]) if given.ndim else 1,
            weight=None,
        )
        if result.requires_grad:

            def arrived(gradient: torch.Tensor) -> None:
                # of a loss without reduction, what arrives at all its entries together
                event["weight"] = plain(gradient.detach().sum())

            result.register_hook(arrived)  # type: ignore[no-untyped-call]

    def report(self) -> dict[str, Any]:
        return {}
