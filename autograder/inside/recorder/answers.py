"""What a program does with a model's answers: which axis it picks the best along, what it compares.

Theory. Accuracy is made of three operations: the best class along an axis, a comparison with the
targets, a sum. Their shapes tell whether they are the right ones: the best along axis 0 of (rows,
classes) is a row, no class; (N, 1) against (N) is a table of N times N comparisons, or of as many
differences. That an output was compared at all tells that its model was being measured. Only the
program's own operations count, not those of libraries it calls.

Events: `best` {dim, shape, of_output}; `compare` {of: "equal" or "minus", shapes, result: shape,
output: whether an operand was a model's output as it came, grad, fair: whether every entry had one
partner, best: the axis and shape of the `best` that was compared, as [dim, *shape], or None}. Of
differences only those of an output are events; within a pass over a loader those of an output that
was given another shape, too. Comparisons are summed over a pass (`tallies`).
"""

from __future__ import annotations

import inspect
import os
import sys
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import overrides

from .hooks import argument
from .log import Flight
from .tallies import Tallies
from .tensors import concrete, shape_of

OUTPUTS_KEPT = 4
PAIRS = (("__eq__", "equal"), ("eq", "equal"), ("__sub__", "minus"), ("sub", "minus"))
FUNCTIONS = (("eq", "equal"), ("sub", "minus"), ("subtract", "minus"))

Kept = tuple["weakref.ref[torch.Tensor]", Any]


class Answers:
    """Watches `argmax`, `max`, `==` and `-` where outputs of models meet them."""

    name = "answers"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.tallies = Tallies(flight)
        self._outputs: deque[Kept] = deque(maxlen=OUTPUTS_KEPT)
        self._best: deque[Kept] = deque(maxlen=OUTPUTS_KEPT)
        self._shape: list[int] = []

    def install(self) -> None:
        self.flight.listeners["output"].append(self._answered)
        for owner in (torch.Tensor, torch):
            for name in ("argmax", "max"):
                self._watch(owner, name, self._picked)
            self._watch(owner, "topk", self._topped)
        for owner, pairs in ((torch.Tensor, PAIRS), (torch, FUNCTIONS)):
            for name, of in pairs:
                self._watch(owner, name, self._compared if of == "equal" else self._subtracted)

    def _watch(self, owner: Any, name: str, after: Callable[..., None]) -> None:
        """As `Flight.watch`, for calls that the program itself makes.

        PyTorch tells a `__torch_function__` which function was called. Those of C are looked up on
        the class, where this one now is; others would name the one within, which no program has.
        """
        flight, original = self.flight, getattr(owner, name)
        own, home = flight.program.files, os.getcwd() + os.sep
        overridden, overriding = overrides.has_torch_function, overrides.handle_torch_function
        names_itself = owner is torch or inspect.isfunction(original)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if not flight.placed.on:
                return original(*args, **kwargs)
            if names_itself and overridden(args):
                result = overriding(watched, args, *args, **kwargs)
            else:
                result = original(*args, **kwargs)
            file = sys._getframe(1).f_code.co_filename  # noqa: SLF001 - who called
            if file in own or file.startswith(home):
                flight.aside(after, args, kwargs, result)
            return result

        flight.placed.put(owner, name, watched)

    def _answered(self, output: torch.Tensor) -> None:
        self._outputs.append((weakref.ref(output), None))
        self._shape = shape_of(output)

    def _topped(self, args: Any, kwargs: Any, result: Any) -> None:
        """The best one is a column here, of as many rows as there were."""
        many = kwargs.get("k", args[1] if len(args) > 1 else None)
        axis = kwargs.get("dim", args[2] if len(args) > 2 else -1)
        if many == 1:
            self._picked(args[:1], {"dim": axis}, result)

    def _picked(self, args: Any, kwargs: Any, result: Any) -> None:
        given = args[0] if args else kwargs.get("input")
        if not self.flight.close or not isinstance(given, torch.Tensor) or not concrete(given):
            return
        second = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else None))
        places = result if isinstance(result, torch.Tensor) else getattr(result, "indices", None)
        if not isinstance(places, torch.Tensor) or not isinstance(second, int | None):
            return  # the larger of two tensors
        if given.ndim != 2 or list(given.shape) != self._shape:
            return
        if places.dtype != torch.int64:
            return  # `max()` of all: a value, no place
        dim = None if second is None else second % given.ndim
        shape = list(given.shape)
        self._best.append((weakref.ref(places), [-1 if dim is None else dim, *shape]))
        self.flight.add("best", dim=dim, shape=shape, of_output=found(self._outputs, given))

    def _compared(self, args: Any, kwargs: Any, result: Any) -> None:
        pair = operands(args, kwargs)
        if pair is None or not isinstance(result, torch.Tensor) or result.ndim == 0:
            return
        if not concrete(result):
            return
        self.tallies.add(("equal", "", False, True), int(result.sum()), result.numel())
        if self.flight.close:
            self._note("equal", pair, result)

    def _subtracted(self, args: Any, kwargs: Any, result: Any) -> None:
        if not self.flight.close:
            return
        pair = operands(args, kwargs)
        if pair is None or not all(map(concrete, pair)) or not isinstance(result, torch.Tensor):
            return
        reshaped = self.flight.current_pass >= 0 and any(viewed(self._outputs, t) for t in pair)
        if reshaped or any(found(self._outputs, t) for t in pair):
            self._note("minus", pair, result)

    def _note(self, of: str, pair: tuple[torch.Tensor, torch.Tensor], result: torch.Tensor) -> None:
        a, b = pair
        best = next((kept for ref, kept in self._best if any(ref() is t for t in pair)), None)
        outer = result.numel() > max(a.numel(), b.numel()) > 1 and a.numel() == b.numel()
        self.flight.add(
            "compare",
            of=of,
            shapes=[shape_of(t) for t in pair],
            result=shape_of(result),
            output=any(found(self._outputs, t) for t in pair),
            grad=[t.requires_grad for t in pair],
            fair=not (outer and a.ndim != b.ndim),
            answers=self._shape[:6],
            best=best,
            share=float(result.float().mean()) if of == "equal" and result.numel() else None,
        )

    def report(self) -> dict[str, Any]:
        return {}


def found(kept: deque[Kept], tensor: torch.Tensor) -> bool:
    """Whether a tensor is one of those kept."""
    return any(ref() is tensor for ref, _ in kept)


def viewed(kept: deque[Kept], tensor: torch.Tensor) -> bool:
    """Whether a tensor is the whole of one of those kept, in another shape (`squeeze`, `view`)."""
    base = tensor._base  # noqa: SLF001 - documented nowhere else: what a view looks at
    if base is None:
        return False
    known = [one for ref, _ in kept if (one := ref()) is not None]
    return any(
        base is (one if one._base is None else one._base)  # noqa: SLF001
        and one.numel() == tensor.numel()
        for one in known
    )


def operands(args: Any, kwargs: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The two tensors of an operation; None where one is a number."""
    a, b = args[0] if args else None, argument(args, kwargs, 1, "other", None)
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a, b
    return None
