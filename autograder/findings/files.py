"""Bugs of keeping and coming back: what was saved, when, and what was not put back."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .base import Event, Finding, Log
from .measures import Measurement, evaluations

_GOES_ON = ("epoch", "step", "iter", "optim", "sched", "resume", "rng")
"""Parts of a checkpoint's keys that tell it is meant for going on, not only for using; a count of
anything (an int) tells the same.
"""


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
        meant = {"optimizer", "int"} & set(kinds.values()) or any(
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


@dataclass(frozen=True)
class _Score:
    """One evaluation: its place among the events, what was evaluated, and how it went."""

    index: int
    what: tuple[str, int]
    accuracy: float | None
    loss: float | None

    def beats(self, other: _Score) -> bool:
        """Whether it went better by every measure that is known of both."""
        told = [
            (mine > yours) if higher else (mine < yours)
            for mine, yours, higher in (
                (self.accuracy, other.accuracy, True),
                (self.loss, other.loss, False),
            )
            if mine is not None and yours is not None
        ]
        return bool(told) and all(told)

    def __str__(self) -> str:
        if self.accuracy is not None:
            return f"an accuracy of {self.accuracy:.4f}"
        return f"a loss of {self.loss:.4f}"


def _scores(log: Log) -> list[_Score]:
    """Every evaluation in order: whole passes over a loader by the recorder's own count; without a
    loader, what the program measured between two steps, where all of it was seen.
    """
    found = [
        _Score(i, ("loader", int(e["pass_of"])), float(e["accuracy"]), float(e["loss"]))
        for i, e in enumerate(log.events)
        if e["k"] == "scored"
    ]
    if found:
        return found
    groups: dict[tuple[int, int], list[Measurement]] = {}
    marks = [i for i, e in enumerate(log.events) if e["k"] in ("step", "cut")]
    for m in evaluations(log):
        group = bisect.bisect(marks, m.begins)
        groups.setdefault((group, int(m.calls[-1].get("at", -1))), []).append(m)
    for (_, at), several in groups.items():
        made = [e for m in several for e in m.made]
        shares = [e["share"] for e in made if e["k"] == "compare" and e.get("share") is not None]
        losses = [e["value"] for e in made if e["k"] == "loss"]
        losses = [v for v in losses if isinstance(v, (int, float))]
        accuracy = sum(shares) / len(shares) if shares else None
        loss = sum(losses) / len(losses) if losses else None
        if accuracy is not None or loss is not None:
            found.append(_Score(several[-1].begins, ("place", at), accuracy, loss))
    return sorted(found, key=lambda s: s.index)


def saves_last_not_best(log: Log) -> Iterator[Finding]:
    """A file called the best was last written although an earlier epoch had scored better, by every
    evaluation that was made of it.
    """
    scores = _scores(log)
    last: dict[str, tuple[int, Event]] = {}
    for i, e in enumerate(log.events):
        if e["k"] == "save" and "best" in e["file"].lower() and e.get("alias", -1) < 0:
            last[e["file"]] = (i, e)
    for index, save in last.values():
        before = [s for s in scores if s.index < index]
        ends = {what: [s for s in before if s.what == what] for what in {s.what for s in before}}
        pairs = [
            (now, [s for s in series if s.beats(now)]) for *series, now in ends.values() if series
        ]
        if not pairs or not all(better for _, better in pairs) or _restored(log, save, index):
            continue
        now, better = pairs[0]
        yield Finding(
            "saves_last_not_best",
            f"'{save['file']}' was last written after step {save['step']}, when the evaluation "
            f"gave {now}; an earlier one had given {better[-1]}",
            **log.where(save),
        )
        return


def _restored(log: Log, save: Event, index: int) -> bool:
    """Whether the best weights were put back into the model before the file was written."""
    return any(
        e["k"] == "restore" and e["of"] == "model" and e["step"] == save["step"]
        for e in log.events[:index]
    )


FINDERS = (pickles_whole_model, best_weights_aliased, resume_without_state, saves_last_not_best)
