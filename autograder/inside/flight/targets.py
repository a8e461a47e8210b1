"""Networks that a program calls its targets, and whose memory they share.

Theory. A target network gives the values that another one learns to meet, and stands still
meanwhile. One that is the other under a second name, or a shallow copy of it, moves with every
step. That two names stand for one network is no fault by itself; so what is told is who goes by the
name of a target, and which trained model has the same weights in the same place. Names are looked
for where the program keeps them: in its running functions, and in the objects that these know.

Section `targets`: `list` of {name, model: the index of the model whose weights it has, also:
another name that is none of a target's}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from .files import addresses
from .log import Flight

LOOKS, NAMES_CAP, KEPT_CAP = 40, 400, 16
WORD = "target"


def _named(names: dict[str, Any]) -> Iterator[tuple[str, nn.Module]]:
    """The modules in a scope, by name, and those that its objects and mappings hold."""
    for name, value in list(names.items())[:NAMES_CAP]:
        if name.startswith("__"):
            continue
        if isinstance(value, nn.Module):
            yield name, value
            held: Any = vars(value).get("_modules")
        else:
            held = value if isinstance(value, dict) else getattr(value, "__dict__", None)
        if isinstance(held, dict) and held is not names and not isinstance(value, type):
            for inner, kept in list(held.items())[:NAMES_CAP]:
                if isinstance(kept, nn.Module):
                    yield str(inner), kept


class Targets:
    """Looks for target networks. See the module."""

    name = "targets"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.targets: dict[int, tuple[str, nn.Module]] = {}
        self.others: dict[int, tuple[str, nn.Module]] = {}
        self._looks = 0

    def install(self) -> None:
        self.flight.listeners["entered"].append(self._entered)

    def _entered(self, told: Any) -> None:
        if self._looks < LOOKS:
            self._looks += 1
            for scope in self.flight.scopes():
                self._look(scope)

    def _look(self, scope: dict[str, Any]) -> None:
        for name, module in _named(scope):
            kept = self.targets if WORD in name.lower() else self.others
            if len(kept) < KEPT_CAP or kept is self.others:
                kept.setdefault(id(module), (name[:80], module))

    def report(self) -> dict[str, Any]:
        self._look(self.flight.program.namespace)
        told = []
        own = [addresses(m) for m in self.flight.models]
        names = [(n, addresses(m)) for n, m in list(self.others.values())[:NAMES_CAP]]
        for name, module in self.targets.values():
            mine = addresses(module)
            also = next((n for n, theirs in names if mine and theirs == mine), "")
            for index, theirs in enumerate(own):
                if mine and theirs == mine:
                    told.append({"name": name, "model": index, "also": also})
        return {"list": told}
