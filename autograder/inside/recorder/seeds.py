"""Which generators a program seeds, and from where.

A program that seeds means to be repeatable; whether it is, two runs from different outside
states tell. Seeding a generator of its own (for a split, say) means nothing of the sort. Some write
`torch.manual_seed(0)` at the top of everything out of habit, so it is also told whether the program
speaks of it in words of its own (`SEED`, `set_seed`, "reproducible").
"""

from __future__ import annotations

import random
import re
import threading
from typing import Any

import numpy as np
import torch

from .log import Flight

CALLS_CAP = 64
_CALLS = re.compile(r"[\w.]*\b(manual_seed|seed|manual_seed_all)\s*\(\s*\d")
_WORDS = re.compile(r"seed|reproduc|determinis|repeatab", re.IGNORECASE)


class Seeds:
    """Watches the seeding of the global generators. Section `seeds`: `seeded`, a list of
    {of: "python" or "numpy" or "torch", at: place, step}, `spoken`, and `threads`: whether
    the program starts threads of its own, whose order is chance.
    """

    name = "seeds"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.seeded: list[dict[str, Any]] = []
        self.threads = False

    def install(self) -> None:
        for owner, name, of in (
            (random, "seed", "python"),
            (np.random, "seed", "numpy"),
            (torch, "manual_seed", "torch"),
            (torch.random, "manual_seed", "torch"),
        ):
            self.flight.watch(owner, name, after=self._seeding(of))
        self.flight.watch(threading.Thread, "start", before=self._parting)

    def _parting(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.flight.place() >= 0:  # the program's own thread, not a loader's
            self.threads = True

    def _seeding(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            place = self.flight.place()
            if place >= 0 and len(self.seeded) < CALLS_CAP:  # by the program, not by a library
                self.seeded.append({"of": of, "at": place, "step": self.flight.step})

        return after

    def report(self) -> dict[str, Any]:
        text = _CALLS.sub("", "\n".join(self.flight.program.cells))
        return {
            "seeded": self.seeded,
            "spoken": _WORDS.search(text) is not None,
            "threads": self.threads,
        }
