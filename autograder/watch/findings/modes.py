"""Bugs of the mode a model is in, and of graphs that nobody needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import Event, Finding, Log
from .measures import Measurement, chains, drawn, evaluations, trained

AVERAGE = "AveragedModel"
FEWEST = 2
"""So many calls of a model that is never trained make an evaluation, and no glance."""


def _answers(log: Log, model: int) -> Mapping[str, Any]:
    """What a model answered when it was asked after the run, in evaluation mode."""
    return (log.models[model]["answers"] if 0 <= model < len(log.models) else None) or {}


def _always_on(log: Log, model: int) -> bool:
    """Whether a model's dropout heeds no mode."""
    return bool(_answers(log, model).get("loose"))


def _at_work(log: Log, call: Event) -> bool:
    """Whether dropout or batch norm that heeds the mode was at work in a call as in training. A
    batch norm that the program calls for itself may be meant for the batch at hand, in any mode.
    """
    layers = call["norms"] > call["own_norms"]
    heeds = bool(call["own_norms"]) and _answers(log, call["model"]).get("norms") == 0
    drops = call["drops"] > call["loose"] and not _always_on(log, call["model"])
    return bool(layers or heeds or drops)


def _evaluated(log: Log) -> Iterator[Measurement]:
    """Every measurement after training began; in a program that trains nothing, what it measures
    of a model without a graph.
    """
    yield from evaluations(log)
    if any(log.counts.get(kind) for kind in ("backward", "grad", "step")):
        return
    asked = {e["model"] for e in log.of_kind("mode") if e["training"]}  # a comparison of modes
    for chain in chains(log):
        apart = not any(c["grad"] or c["transformed"] or c["model"] in asked for c in chain.calls)
        if chain.made and apart:
            yield chain


def missing_eval_mode(log: Log) -> Iterator[Finding]:
    """A trained model is measured while its dropout drops or its batch norm normalises by the
    batch at hand, and not several times over, for the sake of the randomness.
    """
    models, wanted = trained(log), drawn(log)
    seen: list[Event] = []
    for measured in _evaluated(log):
        for call in measured.calls:
            if call["model"] in wanted or not (call["model"] in models or not models):
                continue
            if call["training"] and _at_work(log, call):
                seen.append(call)
    if not seen or (not models and len(seen) < FEWEST):
        return
    first = seen[0]
    parts = [
        f"{'dropout' if first['drops'] else ''}",
        f"{'batch norm' if first['norms'] else ''}",
    ]
    what = " and ".join(p for p in parts if p)
    yield Finding(
        "missing_eval_mode",
        f"{log.model_name(first['model'])} was measured in training mode in {len(seen)} of the "
        f"calls looked at: {what} was at work as in training, and nothing was learnt from the "
        "answers",
        **log.where(first),
    )


def batch_norm_stale(log: Log) -> Iterator[Finding]:
    """An averaged model is measured with statistics of batch norm that none of its weights had."""
    training = {e["model"] for e in log.of_kind("forward") if e["training"]}
    moved = _statistics_moved(log, training)
    for measured in evaluations(log):
        for call in measured.calls:
            birth = call.get("birth")
            if birth and birth["newborn"] and moved:
                yield Finding(
                    "batch_norm_stale",
                    f"{log.model_name(call['model'])} was measured with the means of 0 and the "
                    "variances of 1 that its batch norm layers were made with: its weights were "
                    "taken from a trained model, and no batch ever went through it in training "
                    "mode",
                    **log.where(call),
                )
                return
    kept: dict[int, list[Event]] = {}
    for measured in evaluations(log):
        for call in measured.calls:
            if call.get("birth") and call["model"] not in training:
                kept.setdefault(call["model"], []).append(call)
    for model, calls in kept.items():
        stats = {(c["birth"]["tracked"], c["birth"]["stats"]) for c in calls}
        weights = {c["birth"]["weights"] for c in calls}
        taken = [c["birth"]["copied"] for c in calls]
        copied = all(taken) and "other" in taken
        average = log.models[model]["class"] == AVERAGE if model < len(log.models) else False
        several = len(weights) > 1 or average  # one that is no average may be pruned, say
        if moved and several and (copied or len(stats) == 1 < len(weights) - 1):
            whose = "of the model that it is an average of" if copied else "it was made with"
            yield Finding(
                "batch_norm_stale",
                f"{log.model_name(model)} was measured {len(calls)} time"
                f"{'s, each time with other weights, and' if len(calls) > 1 else ''} with the "
                f"statistics of batch norm {whose}: none was ever taken with its own weights",
                kind="note",
                **log.where(calls[0]),
            )
            return


def _statistics_moved(log: Log, training: set[int]) -> bool:
    """Whether the batch norm of a model that learns sees the batches that it learns from."""
    learnt = [e for e in log.of_kind("forward") if e["learnt"] and e["model"] in training]
    return any(e["norms"] > e["own_norms"] for e in learnt)


def missing_train_mode(log: Log) -> Iterator[Finding]:
    """Steps are taken in evaluation mode, left over from an evaluation, by a model that has
    dropout or batch norm.
    """
    for model in {e["model"] for e in log.of_kind("forward") if e["learnt"]}:
        if not 0 <= model < len(log.models):
            continue
        told = log.models[model]
        held = any(
            model < len(o["holds"]) and o["holds"][model]
            for o in log.section("beats", "optimizers")
        )
        found = _left(log, model) if held and (told["dropouts"] or told["norms"]) else None
        if found is None:
            continue
        before, first, steps = found
        if not before and not told["dropouts"]:
            continue  # batch norm was never trained: frozen, as in fine-tuning
        began = f"after {before} in training mode, " if before else ""
        what = "dropout" if told["dropouts"] else "batch norm"
        yield Finding(
            "missing_train_mode",
            f"{began}{steps} of the steps looked at were taken by {log.model_name(model)} in "
            f"evaluation mode, in which an evaluation had left it: its {what} was off",
            **log.where(first),
        )


def _left(log: Log, model: int) -> tuple[int, Event, int] | None:
    """(steps in training mode, the first call in evaluation mode that a step followed, how many
    such steps) where the mode was left over from an evaluation each time.
    """
    evaluated = switched = False
    pending: list[Event] = []
    before, after = 0, 0
    first: Event | None = None
    for e in log.events:
        if e["k"] == "mode" and not e["training"]:
            evaluated, switched = False, True
        elif e["k"] == "cut":
            pending = []
        elif e["k"] == "forward" and e["model"] == model:
            if e["learnt"]:
                pending.append(e)
            elif not e["training"] and switched:
                evaluated = True
        elif e["k"] == "step" and pending:
            if any(c["training"] for c in pending):
                before += 1
            elif first is not None or evaluated:
                first = first or pending[-1]
                after += 1
            else:
                return None  # asked for
            pending = []
    return (before, first, after) if first is not None else None


def missing_no_grad(log: Log) -> Iterator[Finding]:
    """Measurements build a graph that nothing is ever learnt from."""
    learning = {(c["at"], c["p"]) for m in chains(log) for c in m.calls if c["learnt"]}
    lines = {at for at, _ in learning}
    passes = {p for _, p in learning if p >= 0}
    seen: list[Event] = []
    for measured in evaluations(log):
        call = measured.calls[-1]
        if not call["graph"] or call["p"] in passes:
            continue
        if call["p"] < 0 and call["at"] in lines and call["training"]:
            continue  # the line that trains: a step that was not taken
        seen.append(call)
    seen = seen or _idle_passes(log, passes)
    if not seen:
        return
    first = seen[0]
    several = len(seen) > 1
    yield Finding(
        "missing_no_grad",
        f"a graph was built in {len(seen)} evaluation call{'s' if several else ''} of "
        f"{log.model_name(first['model'])} and never differentiated: it costs memory and time",
        kind="bug" if several else "note",
        **log.where(first),
    )


def _idle_passes(log: Log, learnt: set[int]) -> list[Event]:
    """The calls of whole passes over a loader, in evaluation mode with a graph, by a model that is
    trained elsewhere: whatever was made of the answers, nothing was learnt from them.
    """
    models, told = trained(log), log.section("data", "passes")
    learning = {told[p]["loader"] for p in learnt if p < len(told)}
    calls = [e for e in log.of_kind("forward") if 0 <= e["p"] < len(told)]
    found: list[Event] = []
    for number, one in enumerate(told):
        its = [e for e in calls if e["p"] == number]
        idle = all(e["graph"] and not e["training"] and not e["learnt"] for e in its)
        known = all(e["model"] in models and not e["transformed"] for e in its)
        whole = one["whole"] and len(its) >= one["batches"] > 0
        if its and idle and known and whole and one["loader"] not in learning:
            found += its
    return found


def dropout_always_on(log: Log) -> Iterator[Finding]:
    """Dropout is at work in evaluation mode, through a function that was not told the mode."""
    models, wanted = trained(log), drawn(log)
    for e in log.of_kind("forward"):
        if e["model"] in wanted or e["model"] not in models:
            continue
        evaluating = not e["training"] and e["loose"] and not e["learnt"]
        if evaluating:
            yield Finding(
                "dropout_always_on",
                f"{log.model_name(e['model'])} was called in evaluation mode and dropout was still "
                f"at work, {e['loose']} time{'s' if e['loose'] > 1 else ''} in the call",
                instead_of=("missing_eval_mode",) if not e["norms"] else (),
                **log.where(e),
            )
            return
    for measured in evaluations(log):
        for call in measured.calls:
            if call["model"] in wanted or call["model"] not in models:
                continue
            if call["drops"] and call["training"] and _always_on(log, call["model"]):
                yield Finding(
                    "dropout_always_on",
                    f"dropout was at work while {log.model_name(call['model'])} was measured, and "
                    "asked again in evaluation mode it still was: two calls on one input differ",
                    **log.where(call),
                )
                return


FINDERS = (
    missing_eval_mode,
    batch_norm_stale,
    missing_train_mode,
    missing_no_grad,
    dropout_always_on,
)
