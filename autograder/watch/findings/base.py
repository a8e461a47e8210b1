"""A finding, and a flight record as a checked object.

The record comes out of a box: it is capped JSON (`sandbox.evidence`), but what stands in it is the
program's word. `Log.of` checks the outline; a finder that stumbles over an entry raises, and the
record is then refused as a whole. Nothing of it is evaluated or shown unescaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ...bugs import known
from ...errors import EvidenceError

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that was observed.

    `bug` is an id of `bugs.py`, and another raises `GraderError`; `kind` "bug", or "note" for what
    is worth knowing and no fault; `message` says what was seen, with numbers; `line` is in the
    program's file (`cell` for a notebook, counted from 0), or in `file`, a module beside it. Of two
    findings of one bug the one of larger `weight` is shown; a finding hides those of the bugs in
    `instead_of`, which are its consequences.
    """

    bug: str
    message: str
    kind: Literal["bug", "note"] = "bug"
    line: int | None = None
    cell: int | None = None
    weight: float = 1.0
    instead_of: tuple[str, ...] = ()
    file: str = ""

    def __post_init__(self) -> None:
        known(self.bug, *self.instead_of)


@dataclass(frozen=True)
class Log:
    """A flight record, and the records of the same program under other conditions.

    `events` in order; `places`, `counts` and the sections `models`, `losses`, `beats`, `data`,
    `files` as `inside/recorder` writes them; `ended` "ran", "stopped" or "raised"; `errors` what it
    raised. `accelerated` and `seeds` are the answers of the probes of these names, where asked.
    """

    events: Sequence[Event]
    places: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    sections: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]
    ended: str
    steps: int
    faults: Sequence[str] = ()
    accelerated: Mapping[str, Any] | None = None
    seeds: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(
        cls,
        data: Mapping[str, Any],
        accelerated: Mapping[str, Any] | None = None,
        seeds: Sequence[Mapping[str, Any]] = (),
    ) -> Log:
        """The record in a probe's answer. Raises `EvidenceError` where it is none."""
        outline = {"events": list, "places": list, "counts": dict, "errors": list, "steps": int}
        for name, kind in outline.items():
            if not isinstance(data.get(name), kind):
                raise EvidenceError(f"the flight record was tampered with: '{name}'")
        if not all(isinstance(e, dict) and isinstance(e.get("k"), str) for e in data["events"]):
            raise EvidenceError("the flight record was tampered with: an event without a kind")
        sections = {k: v for k, v in data.items() if isinstance(v, dict) and k != "counts"}
        return cls(
            data["events"],
            data["places"],
            data["counts"],
            sections,
            data["errors"],
            str(data.get("ended", "")),
            data["steps"],
            [str(f) for f in data.get("faults", [])][:20],
            accelerated,
            seeds,
        )

    def of_kind(self, *kinds: str) -> list[Event]:
        """The events of these kinds, in order."""
        return [e for e in self.events if e["k"] in kinds]

    def section(self, name: str, part: str) -> list[Mapping[str, Any]]:
        """A list within an observer's section; empty where there is none."""
        found = self.sections.get(name, {}).get(part, [])
        return found if isinstance(found, list) else []

    def where(self, event: Event) -> dict[str, Any]:
        """`line`, `cell` and `file` of an event, as keywords for a `Finding`."""
        at = event.get("at", -1)
        if not isinstance(at, int) or not 0 <= at < len(self.places):
            return {}
        place = self.places[at]
        file = str(place.get("file") or "")
        return {"line": place.get("line"), "cell": place.get("cell"), "file": file}

    @cached_property
    def models(self) -> list[Mapping[str, Any]]:
        """One entry per model called, by the index that events carry."""
        return self.section("models", "list")

    def model_name(self, index: int) -> str:
        """How to call a model in a message: its global name, else its class."""
        if 0 <= index < len(self.models):
            model = self.models[index]
            return str(model.get("name") or model.get("class") or "the model")
        return "the model"


Finder = Callable[[Log], Iterable[Finding]]


def unreadable(finder: Finder, error: Exception) -> EvidenceError:
    """The error for a record that a finder stumbled over."""
    name = getattr(finder, "__name__", "a finder")
    return EvidenceError(
        f"the flight record cannot be read: {name}: {type(error).__name__} {error}"
    )
