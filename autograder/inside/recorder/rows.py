"""Which rows a model saw, without a loader to ask: what was learnt from, and what was judged.

Theory. Two equal rows of real-valued data are the same sample, unless the data repeats itself. So
each row is boiled down to one number (its product with a fixed random vector, in float64), and the
rows of forward passes that were learnt from are compared with those that were not. Three cautions
keep this from accusing: nothing is told of data with repeated rows; nothing unless all the training
rows were seen (they came round again, and none was new after that), because a part of them would
make a full look at the training set seem a partial one; and a batch that was meant to be learnt
from, and was left out, is none that was judged.

The order of hand-made batches shows in the same numbers: if the first rows of the batches learnt
from come round in the same order, no epoch was shuffled.

Section `rows`: `shared`, one entry per place that judged: {model, at, calls, least (rows in a
call), steps (calls learnt from), trained, judged, shared, unseen: rows, covered: whether all
training rows were seen, mixed: whether one call had rows of both kinds, scaled: as in
`data.pairs`}; `orders`, one per model whose batches came round in order: {model, at, batches,
repeats}.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .datasets import Sums
from .light import plain
from .log import Event, Flight

ROWS_CAP, FEATURES_CAP, FORWARDS_CAP, SUMMED_CAP = 20_000, 4_096, 400, 256
DISTINCT = 0.98


class Rows:
    """Watches the rows that go into models. See the module."""

    name = "rows"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.seen: list[tuple[Event, list[float]]] = []
        self.sums: dict[int, Sums] = {}
        self.unbroken = 0
        self.total = 0
        self._calls = 0
        self._met: dict[tuple[int, int], set[float]] = {}
        self._weights: dict[int, torch.Tensor] = {}

    def install(self) -> None:
        self.flight.listeners["entered"].append(self._entered)

    def _entered(self, told: tuple[Event, torch.Tensor]) -> None:
        event, given = told
        if self.unbroken == len(self.seen) and self.flight.counts["forward"] == self._calls + 1:
            self.unbroken += 1
        self._calls = self.flight.counts["forward"]
        if not given.is_floating_point() or given.ndim < 2:
            return
        width = given[0].numel() if len(given) else 0
        if not 2 <= width <= FEATURES_CAP or self.total + len(given) > ROWS_CAP:
            return
        if len(self.seen) >= FORWARDS_CAP:
            return
        if width not in self._weights:
            drawn = np.random.default_rng(width).standard_normal(width)  # none of torch's streams
            self._weights[width] = torch.from_numpy(drawn)
        flat = given.detach().reshape(len(given), -1).double()
        # one row at a time: a product over a batch is rounded by the batch's size
        sums = (flat * self._weights[width]).sum(1)
        self.total += len(given)
        rows = [round(v, 9) for v in sums.tolist() if math.isfinite(v)]
        self.seen.append((event, rows))
        if width <= SUMMED_CAP and len(rows) == len(flat):
            met = self._met.setdefault((event["model"], event.get("at", -1)), set())
            fresh = [i for i, row in enumerate(rows) if row not in met]
            met.update(rows)
            if fresh:
                own_sums = Sums()
                own_sums.add(flat[fresh])
                self.sums[len(self.seen) - 1] = own_sums

    def report(self) -> dict[str, Any]:
        shared: list[dict[str, Any]] = []
        orders: list[dict[str, Any]] = []
        for model in sorted({e["model"] for e, _ in self.seen}):
            first = self.seen[: self.unbroken]  # up to where looking away left a gap
            trained = [(e, r) for e, r in first if e["model"] == model and e["learnt"]]
            orders += self._order(model, trained)
            trained = [(e, r) for e, r in self.seen if e["model"] == model and e["learnt"]]
            judged = [(e, r) for e, r in self.seen if e["model"] == model and not e["learnt"]]
            lines = {e.get("at", -1) for e, _ in trained}
            judged = [(e, r) for e, r in judged if not _skipped(e, lines)]
            if len(trained) >= 2:
                shared += self._shared(model, trained, judged)
        return {"shared": shared, "orders": orders}

    @staticmethod
    def _order(model: int, trained: list[tuple[Event, list[float]]]) -> list[dict[str, Any]]:
        heads = [(r[0], len(r)) for _, r in trained if r]
        period = next((i for i in range(1, len(heads)) if heads[i] == heads[0]), 0)
        if period < 2 or len(heads) < 2 * period:
            return []
        if any(heads[i] != heads[i - period] for i in range(period, len(heads))):
            return []
        told = {"batches": period, "repeats": len(heads) // period}
        return [{"model": model, "at": trained[0][0].get("at", -1), **told}]

    def _scaled(self, model: int, at: int) -> dict[str, Any]:
        """How the rows learnt from, those judged at a place and both together are scaled."""
        learnt, judged = Sums(), Sums()
        for i, own in self.sums.items():
            event = self.seen[i][0]
            if event["model"] != model:
                continue
            if event["learnt"]:
                learnt = learnt.joined(own) if learnt.rows else own
            elif event.get("at", -1) == at:
                judged = judged.joined(own) if judged.rows else own
        told = {"first": learnt, "second": judged, "union": learnt.joined(judged)}
        return {k: {n: plain(v) for n, v in (s.told() or {}).items()} for k, s in told.items()}

    def _shared(
        self,
        model: int,
        trained: list[tuple[Event, list[float]]],
        judged: list[tuple[Event, list[float]]],
    ) -> list[dict[str, Any]]:
        sizes = [(len(set(rows)), len(rows)) for _, rows in trained]
        if sum(n for n, _ in sizes) < DISTINCT * sum(n for _, n in sizes):
            return []
        learnt = {v for _, rows in trained for v in rows}
        covered = self._covered(trained)
        told = []
        for at in sorted({e.get("at", -1) for e, _ in judged}):
            lists = [rows for e, rows in judged if e.get("at", -1) == at and rows]
            rows = {v for r in lists for v in r}
            if not rows:
                continue
            shares = [sum(v in learnt for v in r) / len(r) for r in lists]
            told.append(
                {
                    "model": model,
                    "at": at,
                    "calls": len(lists),
                    "least": min(map(len, lists)),
                    "steps": len(trained),
                    "trained": len(learnt),
                    "judged": len(rows),
                    "shared": len(rows & learnt),
                    "unseen": len(learnt - rows),
                    "covered": covered,
                    "mixed": any(0 < share < 1 for share in shares),
                    "scaled": self._scaled(model, int(at)),
                }
            )
        return told

    def _covered(self, trained: list[tuple[Event, list[float]]]) -> bool:
        """Whether all training rows were seen: before a gap, the first of them came round again,
        and from then on none was new. Rows drawn with replacement repeat themselves much earlier.
        """
        unbroken = {id(e) for e, _ in self.seen[: self.unbroken]}
        seen: set[float] = set()
        round_again = False
        for event, rows in trained:
            fresh = [v for v in rows if v not in seen]
            if round_again and fresh:
                return False
            if len(fresh) < len(rows) and not round_again:
                if id(event) not in unbroken:
                    return False
                # one batch may hold the end of one epoch and the beginning of the next
                round_again = True
            seen.update(rows)
        return round_again


def _skipped(event: Event, lines: set[int]) -> bool:
    """Whether a call was meant to be learnt from, as the others from its line were: a step that was
    left out because of what came of it.
    """
    return bool(event["training"] and event["grad"] and event.get("at", -1) in lines)
