"""Questions put to a model after the run, on inputs that it was given while it ran.

Theory. Some bugs are properties of the function that a model is, and no event shows them. In
evaluation mode, without a graph:

    steady    the same input twice gives the same output
    mixes     other values in one row of the batch change the outputs of other rows
    affine    f(a) + f(b) - f(0) = f(a + b), where f ends at the last layer with a weight matrix, so
              that a softmax at the end hides nothing; held at several scales, since a bent function
              looks straight from near by

A question that a model does not answer (it raises, or returns no tensor) has the answer None.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from .tensors import modules

Call = Callable[[torch.Tensor], torch.Tensor | None]

MIXED, BENT = 1e-3, 1e-3
"""Relative changes from which outputs of other rows changed, and a function is no affine one."""
SCALES = (1.0, 30.0)
ROWS_LEAST = 3


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within, the model is in evaluation mode, builds no graph and prints nothing."""
    modes = [(m, m.training) for m in modules(module)]
    for m, _ in modes:  # not by `eval()`, which may be a method of the program's own
        m.training = False
    try:
        with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for m, training in modes:
            m.training = training


def ask(module: nn.Module, sample: torch.Tensor, call: Call) -> dict[str, Any]:
    """All answers about one model: {"steady", "out", "mixes", "columns", "affine", "widths"}.

    `sample` is a batch that the model was given, `call` runs it and returns the first tensor of
    its output. `out` is the shape of that; `columns` tells whether the columns (axis 1) of the
    input are each answered for themselves, as where the batch is the second axis; `widths` are
    [in, out] of the layers with a weight matrix, as they were called.
    """
    told: dict[str, Any] = dict.fromkeys(("steady", "out", "mixes", "columns", "affine", "widths"))
    with evaluating(module):
        try:
            first, second = call(sample), call(sample)
            if first is None or second is None or first.shape != second.shape:
                return told
            told["out"] = list(first.shape)[:6]
            told["steady"] = bool(torch.allclose(first, second, equal_nan=True))
            if told["steady"] and bool(first.isfinite().all()):
                told["mixes"] = mixes(sample, first, call, 0)
                told["columns"] = columns(sample, first, call)
                told["affine"], told["widths"] = affine(module, sample, call)
        except Exception:
            return told
    return told


def _changed(sample: torch.Tensor, axis: int, at: int) -> torch.Tensor | None:
    """The sample with other values in one row along `axis`: noise as large as the values, or, for
    whole numbers, another row's; None where all rows are equal.
    """
    rows = sample.movedim(axis, 0).clone()
    if sample.is_floating_point():
        noise = torch.randn(rows[at].shape, dtype=sample.dtype)
        rows[at] = rows[at] + noise * (rows.std() + rows.abs().mean() + 1e-3)
    else:
        other = next((r for r in rows if not torch.equal(r, rows[at])), None)
        if other is None:
            return None
        rows[at] = other.clone()
    return rows.movedim(0, axis)


def mixes(sample: torch.Tensor, answer: torch.Tensor, call: Call, axis: int) -> float | None:
    """By how much the answers of other rows change, relative to the largest answer, when one row
    along `axis` does; the larger of the first and the last row. None where rows cannot be told.
    """
    if sample.ndim <= axis or answer.ndim <= axis or sample.shape[axis] != answer.shape[axis]:
        return None
    rows = sample.shape[axis]
    if rows < ROWS_LEAST:
        return None
    worst = 0.0
    for at in (0, rows - 1):
        changed = _changed(sample, axis, at)
        after = call(changed) if changed is not None else None
        if after is None or after.shape != answer.shape:
            return None
        kept = [i for i in range(rows) if i != at]
        moved = (after - answer).movedim(axis, 0)[kept].abs().max()
        worst = max(worst, float(moved / answer.abs().max().clamp_min(1e-12)))
    return worst


def columns(sample: torch.Tensor, answer: torch.Tensor, call: Call) -> bool | None:
    """Whether the batch is the second axis: its columns are answered each for itself."""
    moved = mixes(sample, answer, call, 1)
    return None if moved is None else moved < MIXED


def width(layer: nn.Module) -> list[int]:
    """[in, out] of a layer with a weight matrix."""
    if isinstance(layer, _ConvNd):
        return [layer.in_channels, layer.out_channels]
    return [int(layer.in_features), int(layer.out_features)]  # type: ignore[arg-type]


def affine(
    module: nn.Module, sample: torch.Tensor, call: Call
) -> tuple[bool | None, list[list[int]]]:
    """Whether a model is affine up to its last weight matrix, and the widths on the way."""
    if not sample.is_floating_point() or sample.numel() == 0:
        return None, []
    called: list[tuple[nn.Module, torch.Tensor]] = []

    def note(layer: nn.Module, inputs: Any, output: Any) -> None:
        called.append((layer, output))

    layers = [
        m
        for m in modules(module)
        if isinstance(m, (nn.Linear, _ConvNd)) and not isinstance(m, _ConvTransposeNd)
    ]
    handles = [layer.register_forward_hook(note) for layer in layers]
    try:

        def last(x: torch.Tensor) -> torch.Tensor:
            called.clear()
            call(x)
            return called[-1][1].double() if called else torch.zeros(1)

        zero = last(torch.zeros_like(sample))
        widths = [width(layer) for layer, _ in called]
        if len(widths) < 2:
            return None, widths
        spread = max(1.0, float(sample.abs().max()))  # a sample of zeros bends nothing
        for scale in SCALES:
            a = (sample + torch.randn_like(sample) * spread) * scale
            b = torch.randn_like(sample) * spread * scale
            whole = last(a + b)
            off = (last(a) + last(b) - zero - whole).abs().max()
            size = (whole - zero).abs().max()
            if not float(size) > 0 or float(off / size) > BENT:
                return False, widths
        return True, widths
    finally:
        for handle in handles:
            handle.remove()
