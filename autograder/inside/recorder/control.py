"""What acts on gradients and learning rates beside the beats: clipping, scaling, schedules.

Theory. Clipping works on the gradients that lie there at that moment, a GradScaler multiplies the
loss and divides the gradients before the step, a schedule sets the rate of the steps to come. All
of them are right or wrong by their place in the order of beats, and a schedule also by how many of
its steps an epoch makes. Schedules speak seldom or once a batch, so their whole course is kept as
a summary.

Events: `clip` {by, limit, before, after: norms, tensors, of: the optimizers that hold them};
`scaled`, `unscale`, `scaled_step`, `update` {scale, op: what made the loss that is scaled, found:
the norm of what is unscaled};
`schedule` {scheduler, type, optimizer, initial, before, after, step, made: steps of its optimizer,
fed: the measure that it was given}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from . import graphs
from .hooks import argument
from .leaves import norm_of, together
from .light import plain
from .log import Flight

SCHEDULERS_CAP, SHOWN_CAP, SHUFFLES_CAP, FED_CAP = 32, 200, 2_000, 200
OWN_EPOCHS = 1_000_000
"""Numbers beyond those of passes over loaders."""
_SETTINGS = (
    "T_max", "step_size", "total_steps", "total_iters", "gamma", "patience", "T_0",
)  # fmt: skip


@dataclass
class Course:
    """A schedule's whole run: `calls` in all, `early` before its optimizer's first step, `first`
    and `last` its optimizer's steps at its first and last call, `most` calls in one pass over a
    loader or epoch, `lowest` and `highest` rates set, `raised` whether a call failed, `changed` the
    number of the last call that changed the rate, `fed` the measures that it was given.
    """

    schedule: LRScheduler
    optimizer: int
    at: int = -1
    calls: int = 0
    early: int = 0
    first: int = -1
    last: int = -1
    current: int = -2
    in_pass: int = 0
    most: int = 0
    lowest: float = float("inf")
    highest: float = 0.0
    raised: bool = False
    changed: int = 0
    rate: float = -1.0
    fed: list[float | str | None] = field(default_factory=list)

    def called(self, number: int, made: int, rate: float) -> None:
        """One call, in pass `number` (or -1), after `made` steps of the optimizer."""
        self.calls += 1
        if rate != self.rate:
            self.changed, self.rate = self.calls, rate
        self.early += made == 0
        self.first = made if self.first < 0 else self.first
        self.last = made
        if number >= 0:
            self.in_pass = self.in_pass + 1 if number == self.current else 1
            self.current = number
            self.most = max(self.most, self.in_pass)
        self.lowest, self.highest = min(self.lowest, rate), max(self.highest, rate)


class Control:
    """Watches clipping, scaling and schedules. See the module."""

    name = "control"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.courses: list[Course] = []
        self.attempts = 0
        self._depth = 0
        self._being_made = 0
        self._shuffles: list[int] = []

    def install(self) -> None:
        watch = self.flight.watch
        for owner in (nn.utils, nn.utils.clip_grad):
            for by in ("norm", "value"):
                name, once = f"clip_grad_{by}_", {"parameters": 0}
                watch(owner, name, self._clipping, self._clipped(by), once=once)
        scaler = torch.amp.GradScaler
        watch(scaler, "scale", after=self._scaler("scaled"))
        watch(scaler, "unscale_", before=self._found, after=self._scaler("unscale"))
        watch(scaler, "step", before=self._attempt, after=self._scaler("scaled_step"))
        watch(scaler, "update", after=self._scaler("update"))
        for kind in vars(torch.optim.lr_scheduler).values():
            if isinstance(kind, type) and issubclass(kind, LRScheduler):
                if "__init__" in vars(kind):
                    watch(kind, "__init__", self._making, self._made, self._made)
                if "step" in vars(kind):
                    watch(kind, "step", self._scheduling, self._scheduled, self._unscheduled)

        watch(torch, "randperm", after=self._shuffled)

    def _shuffled(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        """A permutation drawn: without loaders, this is how a program begins an epoch."""
        if len(self._shuffles) < SHUFFLES_CAP:
            self._shuffles.append(self.flight.step)

    @property
    def _pass(self) -> int:
        """The pass over a loader, or, outside of any, the epoch that a permutation began; -1."""
        if self.flight.current_pass >= 0 or not self._shuffles:
            return self.flight.current_pass
        return OWN_EPOCHS + len(self._shuffles)

    def _clipping(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The tensors whose gradients are about to be clipped, and the norm of these."""
        if not self.flight.close:
            return None
        held = argument(args, kwargs, 0, "parameters", None)
        if not isinstance(held, Iterable):
            return None
        tensors = [held] if isinstance(held, torch.Tensor) else list(held)
        return tensors, together(norm_of(p.grad) for p in tensors)

    def _clipped(self, by: str) -> Callable[..., None]:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            if note is None:
                return
            tensors, before = note
            limit = argument(args, kwargs, 1, "max_norm", kwargs.get("clip_value"))
            left = together(norm_of(p.grad) for p in tensors)
            told = {"limit": plain(limit), "before": plain(before), "after": plain(left)}
            of = self.flight.optimizers.held_by(tensors)
            self.flight.add("clip", by=by, tensors=len(tensors), of=of, **told)

        return after

    def _attempt(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.attempts += 1

    def _found(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
        """The norm of what is about to be unscaled."""
        optimizer = argument(args, kwargs, 1, "optimizer", None)
        if not self.flight.close or optimizer is None:
            return None
        return together(norm_of(p.grad) for g in optimizer.param_groups for p in g["params"])

    def _scaler(self, kind: str) -> Callable[..., None]:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            if kind == "scaled" and args[0].is_enabled() and isinstance(result, torch.Tensor):
                self.flight.scaled(result, args[0].get_scale())
            if kind == "scaled_step":  # where it made no step, it had reason to: inf or nan
                self.flight.used()
            if not self.flight.close:
                self.flight.counts[kind] += 1
            elif args[0].is_enabled():
                loss = argument(args, kwargs, 1, "outputs", None) if kind == "scaled" else None
                op = graphs.root_operation(loss) if isinstance(loss, torch.Tensor) else ""
                told = {"op": op, "found": plain(note) if kind == "unscale" else None}
                self.flight.add(kind, scale=plain(args[0].get_scale()), **told)

        return after

    # --- schedules -----------------------------------------------------------------------------

    def _making(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._being_made += 1

    def _made(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self._being_made = max(0, self._being_made - 1)

    def _scheduling(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._depth += 1
        return [g.get("lr") for g in args[0].optimizer.param_groups[:8]]

    def _unscheduled(self, note: Any, args: Any, kwargs: Any, error: BaseException) -> None:
        self._depth = max(0, self._depth - 1)
        if not self._depth and not self._being_made:
            self._course(args[0]).raised = True

    def _course(self, schedule: LRScheduler) -> Course:
        for course in self.courses:
            if course.schedule is schedule:
                return course
        made = Course(schedule, self.flight.optimizers.index(schedule.optimizer))
        made.at = self.flight.place()
        if len(self.courses) < SCHEDULERS_CAP:
            self.courses.append(made)
        return made

    def _scheduled(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth or self._being_made:  # a schedule made of schedules tells for itself
            return
        flight, schedule = self.flight, args[0]
        course = self._course(schedule)
        known = flight.optimizers.known
        made = known[course.optimizer].steps if course.optimizer >= 0 else 0
        if made == 0 and self.attempts:  # a scaler may have skipped it, which is no fault
            made = self.attempts
        rates = [plain(g.get("lr")) for g in schedule.optimizer.param_groups[:8]]
        rate = rates[0] if rates and isinstance(rates[0], float) else 0.0
        course.called(self._pass, made, rate)
        if isinstance(schedule, ReduceLROnPlateau) and len(course.fed) < FED_CAP:
            course.fed.append(plain(argument(args, kwargs, 1, "metrics", None)))
        if course.calls <= SHOWN_CAP:
            flight.always(
                "schedule",
                scheduler=self.courses.index(course) if course in self.courses else -1,
                type=type(schedule).__name__[:80],
                optimizer=course.optimizer,
                initial=False,
                before=[plain(r) for r in note or ()],
                after=rates,
                step=flight.step,
                made=made,
                fed=course.fed[-1] if course.fed else None,
            )

    def report(self) -> dict[str, Any]:
        """`schedules`: each one's type, settings and `Course`; `shuffled`: the steps made when
        each permutation was drawn.
        """
        return {
            "shuffled": self._shuffles,
            "schedules": [
                {
                    "type": type(c.schedule).__name__[:80],
                    "settings": {
                        n: plain(getattr(c.schedule, n))
                        for n in _SETTINGS
                        if isinstance(getattr(c.schedule, n, None), (int, float))
                    }
                    | _milestones(c.schedule),
                    "rate": [plain(r) for r in getattr(c.schedule, "base_lrs", [])[:8]],
                    "optimizer": c.optimizer,
                    "at": c.at,
                    "calls": c.calls,
                    "early": c.early,
                    "first": c.first,
                    "last": c.last,
                    "most": c.most,
                    "lowest": plain(c.lowest),
                    "highest": plain(c.highest),
                    "raised": c.raised,
                    "changed": c.changed,
                    "rate_now": plain(c.rate),
                    "mode": str(getattr(c.schedule, "mode", ""))[:20],
                    "fed": c.fed,
                }
                for c in self.courses
            ],
        }


def _milestones(schedule: LRScheduler) -> dict[str, Any]:
    """The last milestone of a schedule that has any."""
    found = getattr(schedule, "milestones", None)
    numbers = [n for n in found or () if isinstance(n, int)]
    return {"last_milestone": max(numbers)} if numbers else {}
