"""Networks that a program calls its targets, and whose memory they share.

Theory. A target network gives the values that another one learns to meet, and stands still
meanwhile. One that is the other under a second name, or a shallow copy of it, moves with every
step. That two names stand for one network is no fault by itself: a function may call whatever it is
given its target, and be given one network twice. So both names must stand side by side, as
variables of one function, other than its arguments, or parts of one object. They are looked for
where the program keeps them: in its running functions, and in the objects that these know.

Section `targets`: `list` of {name, also: the other name, models: the indices of the models with
these weights, in the same place}.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from torch import nn

from .files import addresses
from .log import Flight, names_of

LOOKS, NAMES_CAP, KEPT_CAP = 40, 400, 16
WORD = "target"
_OTHER = re.compile(f"{WORD}|source|src")
"""What names no learner: another target, and the other side of two domains that share a network."""
Names = dict[str, nn.Module]


def _together(names: dict[str, Any], given: Collection[str]) -> Iterator[Names]:
    """The modules that stand side by side in a scope, but for arguments that were `given`, and in
    each of its objects and mappings.
    """
    places = [{n: v for n, v in names.items() if n not in given}]
    for name, value in list(names.items())[:NAMES_CAP]:
        held = value if isinstance(value, dict) else getattr(value, "__dict__", None)
        if isinstance(value, nn.Module):
            held = vars(value).get("_modules")
        if isinstance(held, dict) and not (name.startswith("__") or isinstance(value, type)):
            places.append(held)
    for place in places:
        found = [(n, m) for n, m in list(place.items())[:NAMES_CAP] if isinstance(m, nn.Module)]
        if any(WORD in str(n).lower() for n, _ in found):
            yield {str(n)[:80]: m for n, m in found}


class Targets:
    """Looks for target networks. See the module."""

    name = "targets"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.groups: dict[tuple[str, ...], Names] = {}
        self._looks = 0

    def install(self) -> None:
        self.flight.listeners["entered"].append(self._entered)

    def _entered(self, told: Any) -> None:
        if self._looks < LOOKS:
            self._looks += 1
            for frame in self.flight.frames():
                code = frame.f_code
                given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
                self._look(names_of(frame), given)

    def _look(self, scope: dict[str, Any], given: Collection[str] = ()) -> None:
        for names in _together(scope, given):
            if tuple(names) in self.groups or len(self.groups) < KEPT_CAP:
                self.groups[tuple(names)] = names

    def report(self) -> dict[str, Any]:
        self._look(self.flight.program.namespace)
        own = [addresses(m) for m in self.flight.models]
        told = []
        for names in self.groups.values():
            at = {name: addresses(module) for name, module in names.items()}
            for name in (n for n in names if WORD in n.lower() and at[n]):
                others = [n for n in names if at[n] == at[name] and not _OTHER.search(n.lower())]
                models = [i for i, theirs in enumerate(own) if theirs == at[name]]
                if others and models:
                    told.append({"name": name, "also": others[0], "models": models})
        return {"list": told}
