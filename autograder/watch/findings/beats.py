"""Bugs of the five beats: gradients that stay, gradients that go, updates that never come.

Theory. Every optimizer is followed by itself. Its *span* is what lies between one of its steps and
the next; the backward passes in it that reach its tensors are what the step rests on. So models
that pass gradients through one another, and steps that take turns, stay apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from .base import Event, Finding, Log
from .timeline import Span, holds, number, spans

ENOUGH_BACKWARDS = 3
"""So many backward passes without any update are a loop, and no demonstration."""
SELDOM = 4
"""What happens in fewer than one of so many steps may be an accident of what was looked at."""


def optimizers(log: Log) -> list[tuple[int, Any]]:
    """Every optimizer's index and record."""
    return list(enumerate(log.section("beats", "optimizers")))


def missing_zero_grad(log: Log) -> Iterator[Finding]:
    """Updates are made from gradients in which used ones still are."""
    for index, _ in optimizers(log):
        judged = [s for s in spans(log, index) if not s.opening and s.step["nonzero"]]
        mixed = [s for s in judged if s.step["mixed"]]
        if not mixed or len(mixed) * SELDOM < len(judged):
            continue
        first = mixed[0]
        where = next((e for e in first.backwards(index) if e["reused"]), first.step)
        lay = f" (their norm was {number(where['before']):.3g})" if where["k"] == "backward" else ""
        yield Finding(
            "missing_zero_grad",
            f"the gradients of the step before were still there at the backward pass{lay}, so the "
            f"step moved {first.step['mixed']} of {first.step['held']} tensors along old and new "
            f"gradients together; so it was in {len(mixed)} of the {len(judged)} steps looked at",
            **log.where(where),
            instead_of=("lr_too_high",),
        )
    by_hand = [e for e in log.of_kind("backward") if e["by_hand"]]
    mixed_passes = [e for e in by_hand if e["mixed"]]
    if mixed_passes and len(mixed_passes) * 2 >= len(by_hand) - 1:
        first_pass = mixed_passes[0]
        yield Finding(
            "missing_zero_grad",
            f"{first_pass['mixed']} tensors were updated by hand along old and new gradients "
            f"together, in {len(mixed_passes)} of the {len(by_hand)} updates looked at: nothing "
            "cleared the gradients of one update before the next backward pass",
            **log.where(first_pass),
            instead_of=("lr_too_high",),
        )


def _after(events: Sequence[Event], mark: Event | None) -> Sequence[Event]:
    """The events that follow one of them; all of them where it is None."""
    return events[next((i + 1 for i, e in enumerate(events) if e is mark), 0) :]


def _learnt_after(span: Span, log: Log, optimizer: int, last: Event | None) -> bool:
    """Whether, after the span's last backward pass, a forward call (or, where no model is called,
    a loss) came whose own backward pass comes only after the step: none of those that reached other
    tensors, either.
    """
    since = _after(span.events, last)
    passed = {e["number"] + 1 for e in span.events if e["k"] == "backward"}
    calls = [
        e
        for e in since
        if e["k"] == "forward" and e["learnt"] and holds(log, optimizer, e["model"])
        if e.get("by") not in passed
    ]
    if calls or any(e["k"] == "forward" for e in span.events):
        return bool(calls)
    return any(e["k"] == "loss" and e["weight"] is not None for e in since)


def lost_gradients(log: Log) -> Iterator[Finding]:
    """Steps that find nothing, or an older batch's gradients: cleared in between, or too early."""
    for index, _ in optimizers(log):
        judged = spans(log, index)
        lost, early = [], []
        for s in judged:
            backwards = s.backwards(index)
            passes = [e for e in s.events if e["k"] == "grad" or any(e is b for b in backwards)]
            if s.step["closure"]:
                continue
            if _learnt_after(s, log, index, passes[-1] if passes else None):
                early.append(s)
            elif backwards and s.step["reached"] > 0 and not s.step["nonzero"]:
                lost.append(s)
        if early and len(early) * 2 > len(judged):
            step = early[-1].step
            what = (
                f"the gradients it found, of norm {number(step['norm']):.3g}, were an older batch's"
                if step["nonzero"]
                else "it found no gradients"
            )
            yield Finding(
                "step_before_backward",
                f"in {len(early)} of the {len(judged)} steps looked at the optimizer stepped after "
                f"the loss was computed and before its backward pass: {what}",
                **log.where(step),
                instead_of=("zero_grad_after_backward", "inplace_autograd_error"),
            )
        elif lost and len(lost) * 2 > len(judged):
            before = lost[0].backwards(index)[-1]
            yield Finding(
                "zero_grad_after_backward",
                f"the backward pass left gradients of norm {number(before.get('after')):.3g}, and "
                f"the step found none of them: they were cleared in between, in {len(lost)} of the "
                f"{len(judged)} steps looked at",
                **log.where(_cleared(lost[0], before)),
                weight=2.0,
            )
        elif _starts_with_step(log, index):
            step = judged[0].step
            yield Finding(
                "step_before_backward",
                "each step of the optimizer came before the backward pass of its batch: the first "
                "one found no gradients, and those of the last batch were never used",
                **log.where(step),
            )


def _cleared(span: Span, after: Event) -> Event:
    """The clearing after a backward pass, or the step where it was not seen."""
    since = _after(span.events, after)
    return next((e for e in since if e["k"] == "zero"), span.step)


def _starts_with_step(log: Log, optimizer: int) -> bool:
    """Whether steps and backward passes alternate and begin with a step: for programs in which
    neither a model nor a known loss is called. Only a run that was seen from end to end tells.
    """
    if log.ended != "ran" or any(e["k"] in ("forward", "loss", "cut") for e in log.events):
        return False
    beats = [
        e["k"]
        for e in log.events
        if (e["k"] == "step" and e["optimizer"] == optimizer and not e["closure"])
        or (e["k"] == "backward" and optimizer in e["into"])
    ]
    pairs = [tuple(beats[i : i + 2]) for i in range(0, len(beats), 2)]
    return len(pairs) > 1 and all(p == ("step", "backward") for p in pairs)


def missing_backward(log: Log) -> Iterator[Finding]:
    """Steps are made, losses are computed, and nothing is ever differentiated."""
    if log.counts.get("backward") or log.counts.get("grad"):
        return
    for index, known in optimizers(log):
        made = [e for e in log.of_kind("step") if e["optimizer"] == index]
        if known["steps"] < 2 or not made or any(e["given"] for e in made):
            continue
        yield Finding(
            "missing_backward",
            f"the optimizer stepped {known['steps']} times, and no backward pass was ever made: "
            f"none of its {made[0]['held']} tensors had a gradient",
            **log.where(made[0]),
        )
        return


def missing_step(log: Log) -> Iterator[Finding]:
    """Gradients are computed for an optimizer's tensors, and it never uses them."""
    for index, known in optimizers(log):
        into = [e for e in log.of_kind("backward") if index in e["into"]]
        if known["steps"] == 0:
            others = {i for e in into for i in e["into"] if i != index}
            moved = any(e["moved"] for e in into)
            tried = log.counts.get("scaled_step", 0)
            stepping = any(k["steps"] for i, k in optimizers(log) if i in others)
            if len(into) >= ENOUGH_BACKWARDS and not (moved or tried or stepping):
                yield Finding(
                    "missing_step",
                    f"{len(into)} backward passes computed gradients for the tensors of the "
                    f"{known['type']} optimizer, and it never stepped: no weight moved",
                    **log.where(into[0]),
                )
        elif not any(s.step["closure"] for s in spans(log, index)):
            yield from _thrown_away(log, index, into)


def _thrown_away(log: Log, index: int, into: Sequence[Event]) -> Iterator[Finding]:
    """Batch after batch is differentiated and cleared again, and only the last one is used."""
    loaders = bool(log.section("data", "loaders"))
    fed = {e["at"] for s in spans(log, index) for e in s.backwards(index)[-1:]}
    for at in fed:
        thrown = [
            (s, a, b)
            for s in _stretches(log, index)
            for a, b in pairwise(s)
            if a["at"] == b["at"] == at and not b["stale"] and a.get("after") != 0
            if b["batch"] > a["batch"] or not loaders
        ]
        here = [e for e in into if e["at"] == at]
        share = 0.6 if loaders else 0.8
        if len(thrown) >= ENOUGH_BACKWARDS and len(thrown) >= share * (len(here) - 1):
            yield Finding(
                "missing_step",
                f"{len(thrown)} of {len(here)} backward passes looked at were cleared away before "
                "any step used them: the optimizer does not step once per batch",
                **log.where(here[0]),
            )


def _stretches(log: Log, index: int) -> list[list[Event]]:
    """The backward passes into an optimizer's tensors, between any two of its steps."""
    found: list[list[Event]] = [[]]
    for e in log.events:
        if e["k"] == "cut" or (e["k"] in ("step", "scaled_step")):
            if e["k"] == "cut" or e.get("optimizer", index) == index:
                found.append([])
        elif e["k"] == "backward" and index in e["into"]:
            found[-1].append(e)
    return [s for s in found if s]


def never_learnt(log: Log) -> Iterator[Finding]:
    """A loss is computed again and again of a model that an optimizer holds, and neither is it ever
    differentiated nor does the optimizer ever step. That it was meant to be shows where gradients
    are cleared, where the model is told to train, or where the same inputs come round with a graph
    each time.
    """
    if any(log.counts.get(kind) for kind in ("backward", "grad", "step")) or log.ended != "ran":
        return
    held = {i for i in range(len(log.models)) for k, _ in optimizers(log) if holds(log, k, i)}
    calls = [e for e in log.of_kind("forward") if e["model"] in held and e.get("graph")]
    losses = [e for e in log.of_kind("loss") if e["grad"]]
    if len(losses) < ENOUGH_BACKWARDS or any(e["transformed"] for e in log.of_kind("forward")):
        return
    rounds = Counter((e["model"], e["mark"], tuple(e["shape"])) for e in calls if e["mark"])
    again = max(rounds.values(), default=0)
    asked = {e["model"] for e in log.of_kind("mode") if e["training"]} & held
    if not calls or not (log.counts.get("zero") or asked or again >= ENOUGH_BACKWARDS):
        return
    model = log.model_name(calls[0]["model"])
    seen = f"{log.counts.get('loss', 0)} losses of {model} were computed with a graph"
    kind = optimizers(log)[0][1]["type"]
    for bug, what in (
        ("missing_backward", "and no backward pass was ever made"),
        ("missing_step", f"and the {kind} optimizer that holds its weights never stepped"),
    ):
        yield Finding(bug, f"{seen}, {what}", **log.where(losses[0]))


FINDERS = (missing_zero_grad, lost_gradients, missing_backward, missing_step, never_learnt)
