"""Bugs of keeping and coming back: what was saved, when, and what was not put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import Event, Finding, Log
from .scores import Score, scores_of

_GOES_ON = ("epoch", "step", "iter", "optim", "sched", "resume", "rng")
"""Parts of a checkpoint's keys that tell it is meant for going on, not only for using; a count of
anything (an int) tells the same.
"""


def _kinds(event: Event) -> Mapping[str, Any]:
    """The entries of what was saved or loaded, by key; a bare object under the empty key."""
    held = event["holds"]
    return held["entries"] if held["kind"] == "mapping" else {"": held["kind"]}


def pickles_whole_model(log: Log) -> Iterator[Finding]:
    """A Module itself went into a file, alone or as part of a checkpoint, and neither are its
    classes registered as safe to load nor does the program open the file so again.
    """
    opened = {e["file"] for e in log.of_kind("load") if e["safe"]}
    for e in log.of_kind("save"):
        if e["safe"] or not e["file"] or e["file"] in opened:  # a buffer in memory has no name
            continue
        if "module" in _kinds(e).values():
            yield Finding(
                "pickles_whole_model",
                f"'{e['file']}' holds a pickled Module, not its state_dict: torch.load refuses it "
                "by default, and it opens only beside the same source code",
                **log.where(e),
            )
            return


def best_weights_aliased(log: Log) -> Iterator[Finding]:
    """A state_dict taken at an earlier step still lives in the model's own memory."""
    for e in log.of_kind("restore", "save"):
        if e.get("alias", -1) >= 0:
            back = "put back" if e["k"] == "restore" else f"written to '{e['file']}'"
            yield Finding(
                "best_weights_aliased",
                f"the state_dict taken after step {e['alias']} was {back} after step {e['step']}, "
                "and still shares its memory with the model: it holds the weights of step "
                f"{e['step']}, not those it was kept for",
                **log.where(e),
                instead_of=("saves_last_not_best",),
            )
            return


def resume_without_state(log: Log) -> Iterator[Finding]:
    """Training goes on from a checkpoint with an optimizer or a schedule that starts anew."""
    optimizers = log.section("beats", "optimizers")
    events = list(log.events)
    for i, load in enumerate(events):
        if load["k"] != "load":
            continue
        kinds = _kinds(load)
        after = events[i + 1 :]
        model = next((e for e in after if e["k"] == "restore" and e["of"] == "model"), None)
        if model is None:
            continue
        fresh = [
            k
            for k, o in enumerate(optimizers)
            if o["steps"] and o["first"] >= load["step"] and _remembers(o)
        ]
        meant = {"optimizer", "int"} & set(kinds.values()) or any(
            part in key.lower() for key in kinds for part in _GOES_ON
        )
        if not meant or not fresh:
            continue
        restored = {e["of"] for e in after if e["k"] == "restore"}
        given_back = {e["optimizer"] for e in after if e["k"] == "restore"}
        if not given_back & set(fresh):
            name = optimizers[fresh[0]]["type"]
            there = "optimizer" in kinds.values() and "optimizer" not in restored
            elsewhere = "optimizer" in restored
            yield Finding(
                "resume_without_state",
                f"training went on from '{load['file']}' (saved after step {_saved(log, load)}) "
                f"with a new {name} whose memory is empty: "
                + (
                    "its state was put into another optimizer, which takes no step"
                    if elsewhere
                    else "the file holds its state, and nothing put it back"
                    if there
                    else "the file holds none, so nothing could be put back"
                ),
                **log.where(model),
            )
            return
        scheduled = "scheduler" in kinds.values() and "scheduler" not in restored
        stepping = any(e["k"] == "schedule" and not e["initial"] for e in after)
        if scheduled and stepping:
            yield Finding(
                "resume_without_state",
                f"training went on from '{load['file']}' with a schedule that starts anew: the "
                "file holds its state, and nothing put it back",
                **log.where(model),
            )
            return


def _remembers(optimizer: Mapping[str, Any]) -> bool:
    """Whether an optimizer keeps anything between steps; plain SGD does not."""
    groups = optimizer.get("groups", [])
    return optimizer["type"] != "SGD" or any(g.get("momentum") for g in groups)


def _saved(log: Log, load: Event) -> int:
    saves = [e["step"] for e in log.of_kind("save") if e["file"] == load["file"]]
    return int(max((s for s in saves if s <= load["step"]), default=load["step"]))


def saves_last_not_best(log: Log) -> Iterator[Finding]:
    """A file called the best was last written although an earlier epoch had scored better, by every
    evaluation that was made of it.
    """
    scores = scores_of(log)
    last: dict[str, tuple[int, Event]] = {}
    for i, e in enumerate(log.events):
        if e["k"] == "save" and "best" in e["file"].lower() and e.get("alias", -1) < 0:
            last[e["file"]] = (i, e)
    for index, save in last.values():
        before = [s for s in scores if s.index < index]
        pairs = [
            (now, [s for s in series if s.beats(now)])
            for *series, now in _judging(log, before)
            if series
        ]
        if not pairs or not all(better for _, better in pairs) or _restored(log, save, index):
            continue
        now, better = pairs[0]
        aliased = " and what is called the best is the model itself," if save["named"] else ""
        yield Finding(
            "best_weights_aliased" if save["named"] else "saves_last_not_best",
            f"'{save['file']}' was last written after step {save['step']},{aliased} when the "
            f"evaluation gave {now}; an earlier one had given {better[-1]}",
            **log.where(save),
        )
        return
    if not last and log.sections.get("files", {}).get("named") and not _back_at_end(log):
        for *series, now in _judging(log, scores):
            better = [s for s in series if s.beats(now)]
            if better:
                yield Finding(
                    "best_weights_aliased",
                    f"what is called the best is the model itself: at the end it gives {now}, and "
                    f"an earlier evaluation had given {better[-1]}",
                    **log.where(log.events[now.index]),
                )
                return


def _judging(log: Log, scores: list[Score]) -> list[list[Score]]:
    """The evaluations of one model each by what it was evaluated on, in order. An average of the
    weights that is evaluated beside them is another model. A look at the rows trained on is left
    out where there is another, for no best is chosen by it.
    """
    looks = {
        ("place", int(told.get("at", -1)))
        for told in log.section("rows", "shared")
        if told["shared"] == told["judged"]
    }
    whats = dict.fromkeys((s.what, s.model) for s in scores)
    judging = [w for w in whats if w[0] not in looks] or list(whats)
    return [[s for s in scores if (s.what, s.model) == what] for what in judging]


def _back_at_end(log: Log) -> bool:
    """Whether weights were put back after the last step."""
    return any(e["of"] == "model" and e["step"] >= log.steps for e in log.of_kind("restore"))


def _restored(log: Log, save: Event, index: int) -> bool:
    """Whether the best weights were put back into the model before the file was written."""
    return any(
        e["k"] == "restore" and e["of"] == "model" and e["step"] == save["step"]
        for e in log.events[:index]
    )


FINDERS = (pickles_whole_model, best_weights_aliased, resume_without_state, saves_last_not_best)
