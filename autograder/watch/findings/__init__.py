"""What a flight record says of a program: the beats of its loop, and what is wrong with it.

    base       `Finding`, and the record as a checked object (`Log`)
    timeline   phases (training or evaluation) and steps, made from the events
    strip      the beat strip: what each step did, and each epoch
    the rest   one module per family of bugs, each with a tuple `FINDERS`

A finder is a pure function from a `Log` to findings. `findings` calls every finder of this
package; there is no list to extend. A finder speaks only where the record leaves no honest
explanation: silence about a bug is a pity, an accusation of correct code is a fault.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from .base import Finder, Finding, Log, unreadable


@cache
def finders() -> tuple[Finder, ...]:
    """Every finder of this package, in the order of their modules' names."""
    found: list[Finder] = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found.extend(getattr(module, "FINDERS", ()))
    return tuple(found)


def findings(log: Log) -> tuple[Finding, ...]:
    """What is wrong, bugs before notes; each bug id once, by its most telling finding."""
    found: list[Finding] = []
    for finder in finders():
        found.extend(_one(finder, log))
    kept: dict[str, Finding] = {}
    for f in sorted(found, key=lambda f: (f.kind != "bug", -f.weight)):
        kept.setdefault(f.bug, f)
    hidden = {bug for f in kept.values() for bug in f.instead_of}
    return tuple(f for f in kept.values() if f.bug not in hidden)


def _one(finder: Finder, log: Log) -> Iterable[Finding]:
    try:
        return list(finder(log))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as e:
        raise unreadable(finder, e) from e


__all__ = ["Finding", "Log", "findings"]
