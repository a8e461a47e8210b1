"""What a program says of stopping early: its patience, and how many epochs it had planned.

Theory. Patience is a number in a variable or an attribute of that name, wherever the program keeps
it: so the frames that are running when a model is called are looked through, a few times. The
plan is the loop over epochs as it is written, `for epoch in range(N)`, with N a number or a name
that has one.

Section `stopping`: `patience`, the different values found; `planned`, likewise; `tolerance`,
whether a least improvement other than 0 is asked for; `spoken`, whether the program says in words
that so many epochs without improvement end the training.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from torch.optim.lr_scheduler import LRScheduler

from .log import Flight

LOOKS, NAMES_CAP = 40, 400
_WORDS = re.compile(
    r"(after|when|for|once|stopped:?|if)\W+(\w+\W+){0,5}?(epoch|check|evaluation|round|time)s?"
    r"\W+(\w+\W+){0,4}?(without|no|not|never|worse|nothing|fail)",
    re.IGNORECASE,
)
_TOLERANCES = ("min_delta", "mindelta", "threshold", "tolerance", "delta")


class Stopping:
    """Looks for patience. See the module."""

    name = "stopping"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.patience: set[int] = set()
        self.names: dict[str, int] = {}
        self.tolerance = False
        self._looks = 0

    def install(self) -> None:
        self.flight.listeners["entered"].append(self._entered)

    def _entered(self, told: Any) -> None:
        if self._looks >= LOOKS:
            return
        self._looks += 1
        for scope in self.flight.scopes():
            self._look(scope)

    def _look(self, names: dict[str, Any]) -> None:
        for name, value in list(names.items())[:NAMES_CAP]:
            if name.startswith("__"):
                continue
            self._named(name, value)
            held = getattr(value, "__dict__", None)
            if isinstance(held, dict) and not isinstance(value, (type, LRScheduler)):
                for inner, kept in list(held.items())[:NAMES_CAP]:
                    self._named(str(inner), kept)

    def _named(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return
        low = name.lower()
        if "patience" in low and isinstance(value, int) and 0 < value < 1_000:
            self.patience.add(value)
        elif any(word in low for word in _TOLERANCES) and value:
            self.tolerance = True
        elif "epoch" in low and isinstance(value, int):
            self.names.setdefault(name, value)

    def _planned(self) -> set[int]:
        """The lengths of the loops over epochs that the program's text shows."""
        found = set()
        for cell in self.flight.program.cells:
            try:
                tree = ast.parse(cell)
            except (SyntaxError, ValueError, RecursionError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.For) and _over_epochs(node):
                    found |= {n for n in map(self._number, node.iter.args) if n}  # type: ignore[attr-defined]
        return found

    def _number(self, node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        known = self.flight.program.namespace.get(name, self.names.get(name, 0))
        return known if isinstance(known, int) else 0

    def report(self) -> dict[str, Any]:
        self._look(self.flight.program.namespace)
        return {
            "patience": sorted(self.patience)[:8],
            "planned": sorted(self._planned())[:8],
            "tolerance": self.tolerance,
            "spoken": any(_WORDS.search(cell) for cell in self.flight.program.cells),
        }


def _over_epochs(node: ast.For) -> bool:
    """Whether a loop is `for epoch in range(...)`, by whatever name the epoch goes."""
    target = node.target.id if isinstance(node.target, ast.Name) else ""
    call = node.iter if isinstance(node.iter, ast.Call) else None
    ranged = call is not None and isinstance(call.func, ast.Name) and call.func.id == "range"
    return ranged and ("epoch" in target.lower() or target in ("e", "ep"))
