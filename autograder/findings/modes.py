"""Bugs of the mode a model is in, and of graphs that nobody needs."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Event, Finding, Log
from .measures import Measurement, chains, drawn, evaluations, trained


def _random(call: Event) -> int:
    """How often dropout that heeds the mode, or batch norm, was at work as in training."""
    return int(call["drops"] - call["loose"] + call["norms"])


def _always_on(log: Log, model: int) -> bool:
    """Whether a model's dropout heeds no mode."""
    answers = log.models[model]["answers"] if 0 <= model < len(log.models) else None
    return bool(answers and answers["loose"])


def missing_eval_mode(log: Log) -> Iterator[Finding]:
    """A trained model is measured while its dropout drops or its batch norm normalises by the
    batch at hand, and not several times over, for the sake of the randomness.
    """
    models, wanted = trained(log), drawn(log)
    seen: list[tuple[Measurement, Event]] = []
    for measured in evaluations(log):
        for call in measured.calls:
            if call["model"] in wanted or call["model"] not in models or not call["training"]:
                continue
            if call["norms"] or (_random(call) and not _always_on(log, call["model"])):
                seen.append((measured, call))
    if not seen:
        return
    first = seen[0][1]
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


FINDERS = (missing_eval_mode, missing_train_mode, missing_no_grad, dropout_always_on)
