"""What a program says of stopping early: its patience, and how many epochs it had planned.

Theory. Patience is a number in a variable or an attribute of that name, wherever the program keeps
it: so the frames that are running when a model is called are looked through, a few times. The
plan is the loop over epochs as it is written, `for epoch in range(N)`, with N a number or a name
that has one.

Section `stopping`: `patience`, the different values found; `planned`, likewise; `tolerance`,
whether a least improvement other than 0 is asked for; `best`, the numbers that it called the best;
`spoken`, whether the program says in words that so many epochs without improvement end the
training.
"""

from __future__ import annotations

import ast
import math
import re
from types import ModuleType, SimpleNamespace
from typing import Any

from torch.optim.lr_scheduler import LRScheduler

from .log import Flight

LOOKS, NAMES_CAP, BEST_CAP = 40, 400, 64
_WORDS = re.compile(
    r"(after|when|for|once|stopped:?|if)\W+(\w+\W+){0,5}?(epoch|check|evaluation|round|time)s?"
    r"\W+(\w+\W+){0,4}?(without|no|not|never|worse|nothing|fail)",
    re.IGNORECASE,
)
_PATIENCE = re.compile(
    r"patience|early_?stop(ping)?(_?(rounds?|epochs?|after|limit))?$|epochs?_?stop"
    r"|(max|n|num)_?(no|bad|without|worse|stale)\w*$|no_?improve\w*_?(max|limit)$|stop_?after"
)
"""Names that a patience goes by."""
_TOLERANCES = ("min_delta", "mindelta", "threshold", "tolerance", "delta")


class Stopping:
    """Looks for patience. See the module."""

    name = "stopping"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.patience: set[int] = set()
        self.names: dict[str, int] = {}
        self.tolerance = False
        self.best: set[float] = set()
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
            if not isinstance(value, (type, LRScheduler, ModuleType)):
                self._settings(value)

    def _settings(self, value: Any, depth: int = 2) -> None:
        """What an object, or a mapping of settings, keeps under its names."""
        held = value if isinstance(value, dict) else getattr(value, "__dict__", None)
        if held is None and hasattr(type(value), "_fields"):
            held = dict(zip(type(value)._fields, value, strict=False))
        if not isinstance(held, dict):
            return
        for inner, kept in list(held.items())[:NAMES_CAP]:
            if not isinstance(inner, str):  # an optimizer's state: to print a tensor is slow
                continue
            self._named(inner, kept)
            if depth > 1 and isinstance(kept, (dict, SimpleNamespace)):
                self._settings(kept, depth - 1)

    def _named(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return
        low = name.lower()
        if _PATIENCE.search(low) and isinstance(value, int) and 0 < value < 1_000:
            self.patience.add(value)
        elif "best" in low and isinstance(value, float) and len(self.best) < BEST_CAP:
            self.best.add(value)
        elif any(word in low for word in _TOLERANCES) and value:
            self.tolerance = True
        elif "epoch" in low and isinstance(value, int):
            self.names.setdefault(name, value)

    def _planned(self) -> set[int]:
        """The lengths of the loops over epochs that the program's text shows."""
        found: set[int | None] = set()
        for text in self.flight.sources():
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError):
                continue
            loops = {id(n.test) for n in ast.walk(tree) if isinstance(n, ast.While)}
            for node in ast.walk(tree):
                if isinstance(node, ast.For) and _is_epoch(node.target):
                    calls = [n for n in ast.walk(node.iter) if isinstance(n, ast.Call)]
                    ranges = [c for c in calls if getattr(c.func, "id", "") == "range"]
                    found |= {self._length(c) for c in ranges[:1]}
                elif isinstance(node, ast.Compare) and id(node) in loops and _is_epoch(node.left):
                    found.add(self._number(node.comparators[0]))
        return {n for n in found if n and n > 0}

    def _length(self, call: ast.Call) -> int | None:
        """How many numbers a range gives."""
        numbers = [self._number(a) for a in call.args]
        known = [n for n in numbers if n is not None]
        if not known or len(known) < len(numbers):
            return None
        return len(range(*known[:2])) if len(known) < 3 or known[2] else None

    def _number(self, node: ast.expr) -> int | None:
        """A whole number, a name or an entry of settings that has one, or a sum of such."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            a, b = self._number(node.left), self._number(node.right)
            if a is None or b is None:
                return None
            return a + b if isinstance(node.op, ast.Add) else a - b
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            name = str(node.slice.value)
        if isinstance(node, ast.Call) and node.args:  # `int(...)`, or an entry by `get`
            key = node.args[0]
            name = str(key.value) if isinstance(key, ast.Constant) else ""
            if not name:
                return self._number(key)
        known = self.flight.program.namespace.get(name, self.names.get(name))
        return known if isinstance(known, int) else None

    def report(self) -> dict[str, Any]:
        self._look(self.flight.program.namespace)
        return {
            "patience": sorted(self.patience)[:8],
            "planned": sorted(self._planned())[:8],
            "tolerance": self.tolerance,
            "best": sorted(v for v in self.best if math.isfinite(v)),
            "spoken": any(_WORDS.search(text) for text in self.flight.sources()),
        }


def _is_epoch(node: ast.expr) -> bool:
    """Whether a name is that of an epoch, alone or among others."""
    names = {n.id.lower() for n in ast.walk(node) if isinstance(n, ast.Name)}
    return any("epoch" in n or n in ("e", "ep") for n in names)
