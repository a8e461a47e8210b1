"""How well a model did in each evaluation pass, by the recorder's own count.

Theory. Within a pass over a loader, the batch that was handed out last holds the targets, and the
next output of a model answers it. Where the targets are class indices and the output has a score
per class, the share of right answers and the mean cross-entropy follow, whatever the program
itself computes. Only passes in which nothing is learnt are scored.

Event `scored` {pass_of: loader, model: the index of the one that answered, -1 where several did,
rows, accuracy, loss, step} at the end of each such pass.
"""

from __future__ import annotations

from typing import Any

import torch

from .log import Flight
from .tensors import concrete


class Scores:
    """Scores evaluation passes. See the module."""

    name = "scores"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self._targets: torch.Tensor | None = None
        self._rows = 0
        self._right = 0
        self._loss = 0.0
        self._began = 0
        self._models: set[int] = set()

    def install(self) -> None:
        self.flight.listeners["output"].append(self._answered)
        self.flight.listeners["batch"].append(self._handed)
        self.flight.listeners["begun"].append(self._begin)
        self.flight.listeners["ended"].append(self._end)

    def _begin(self, loader: int) -> None:
        self._targets, self._rows, self._right, self._loss = None, 0, 0, 0.0
        self._began = self.flight.step
        self._models = set()

    def _handed(self, batch: Any) -> None:
        self._targets = None
        if isinstance(batch, (list, tuple)) and len(batch) >= 2:
            target = batch[1]
            indices = isinstance(target, torch.Tensor) and target.dtype == torch.int64
            if indices and concrete(target) and target.ndim and target.numel() == len(target):
                self._targets = target.reshape(-1)

    def _answered(self, output: torch.Tensor) -> None:
        target, self._targets = self._targets, None
        if target is None or self.flight.step != self._began:  # it is being trained
            return
        if output.ndim != 2 or len(output) != len(target) or output.shape[1] < 2:
            return
        if not concrete(output):
            return
        if self.flight.called is not None:
            self._models.add(self.flight.model(self.flight.called))
        scores = output.detach().float()
        self._rows += len(target)
        self._right += int((scores.argmax(1) == target).sum())
        picked = scores.log_softmax(1).gather(1, target.clamp(0, scores.shape[1] - 1)[:, None])
        self._loss -= float(picked.sum())

    def _end(self, loader: int) -> None:
        if self._rows and self.flight.step == self._began:
            self.flight.always(
                "scored",
                pass_of=loader,
                model=next(iter(self._models)) if len(self._models) == 1 else -1,
                rows=self._rows,
                accuracy=self._right / self._rows,
                loss=self._loss / self._rows,
                step=self.flight.step,
            )
        self._rows = 0

    def report(self) -> dict[str, Any]:
        return {}
