"""Bugs of keeping and coming back: what was saved, when, and what was not put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import Event, Finding, Log

_GOES_ON = ("epoch", "step", "iter", "optim", "sched", "resume")
"""Parts of a checkpoint's keys that tell it is meant for going on, not only for using."""


def _kinds(event: Event) -> Mapping[str, Any]:
    """The entries of what was saved or loaded, by key; a bare object under the empty key."""
    held = event["holds"]
    return held["entries"] if held["kind"] == "mapping" else {"": held["kind"]}


def pickles_whole_model(log: Log) -> Iterator[Finding]:
    """A Module itself went into a file, alone or as part of a checkpoint."""
    for e in log.of_kind("save"):
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
        meant = "optimizer" in kinds.values() or any(
            part in key.lower() for key in kinds for part in _GOES_ON
        )
        if not meant or not fresh:
            continue
        restored = {e["of"] for e in after if e["k"] == "restore"}
        if "optimizer" not in restored:
            name = optimizers[fresh[0]]["type"]
            there = "optimizer" in kinds.values()
            yield Finding(
                "resume_without_state",
                f"training went on from '{load['file']}' (saved after step {_saved(log, load)}) "
                f"with a new {name} whose memory is empty: "
                + ("the file holds its state, and nothing" if there else "the file holds none, so")
                + (" put it back" if there else " nothing could be put back"),
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
    """A file called the best was written although an earlier epoch had scored better."""
    scored = [e for e in log.of_kind("scored") if e["rows"] > 0]
    for save in log.of_kind("save"):
        if "best" not in save["file"].lower() or save.get("alias", -1) >= 0:
            continue
        before = [e for e in scored if e["step"] <= save["step"]]
        if len(before) < 2:
            continue
        now = before[-1]
        later = [e for e in log.of_kind("save") if e["file"] == save["file"]]
        if save is not later[-1] or now["pass_of"] != before[0]["pass_of"]:
            continue
        rivals = [
            e for e in before[:-1] if e["pass_of"] == now["pass_of"] and e["step"] < now["step"]
        ]
        better = [e for e in rivals if _better(e, now)]
        if better:
            best = max(better, key=lambda e: e["accuracy"])
            yield Finding(
                "saves_last_not_best",
                f"'{save['file']}' was last written after step {save['step']}, when the evaluation "
                f"stood at {now['accuracy']:.4f}; after step {best['step']} it had been at "
                f"{best['accuracy']:.4f}",
                **log.where(save),
            )
            return


def _better(a: Event, b: Event) -> bool:
    """Whether evaluation `a` beat `b` by every measure that is known of both."""
    losses = [e["loss"] for e in (a, b)]
    lower = None in losses or losses[0] < losses[1]
    return bool(a["accuracy"] > b["accuracy"] and lower)


FINDERS = (pickles_whole_model, best_weights_aliased, resume_without_state, saves_last_not_best)
