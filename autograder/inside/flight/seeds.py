"""Which generators a program seeds, and from where.

A program that seeds claims to be repeatable; whether it is, two runs from different outside
states tell. Seeding a generator of its own (for a split, say) claims nothing of the sort.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from .log import Flight

CALLS_CAP = 64


class Seeds:
    """Watches the seeding of the global generators. Section `seeds`: `seeded`, a list of
    {of: "python" or "numpy" or "torch", at: place, step}.
    """

    name = "seeds"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.seeded: list[dict[str, Any]] = []

    def install(self) -> None:
        for owner, name, of in (
            (random, "seed", "python"),
            (np.random, "seed", "numpy"),
            (torch, "manual_seed", "torch"),
            (torch.random, "manual_seed", "torch"),
        ):
            self.flight.watch(owner, name, after=self._seeding(of))

    def _seeding(self, of: str) -> Any:
        def after(note: Any, args: Any, kwargs: Any, result: Any) -> None:
            place = self.flight.place()
            if place >= 0 and len(self.seeded) < CALLS_CAP:  # by the program, not by a library
                self.seeded.append({"of": of, "at": place, "step": self.flight.step})

        return after

    def report(self) -> dict[str, Any]:
        return {"seeded": self.seeded}
