"""Passes over data: which loader, in which order, how far; and the data sets behind them.

Theory. A DataLoader asks its sampler for the indices of each batch in the main process, workers or
not, so the order of a pass is known without looking at any image. A pass begins with `iter` and
ends when the iterator is exhausted, dropped, or another pass begins; a pass opened within another
one (a validation in the middle of an epoch) gives the outer one back when it ends.

Events: `pass` {loader, number} when one begins, `passed` {loader, number, batches, whole} when it
was exhausted. Section `data`: `loaders` (data set, names, sampler, batch size, transform), and
`passes` (loader, batches, whole, a digest of the order, its first indices).
"""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset
from torch.utils.data.dataloader import _BaseDataLoaderIter

from .datasets import Sums, innermost, overlap, varies
from .light import plain
from .log import Flight

LOADERS_CAP, PASSES_CAP, INDICES_CAP, PAIRED_CAP = 32, 200, 40, 6
VISITED_CAP = 100_000
MARK = "_five_beats_pass"


class _Pass:
    """One iteration over a loader."""

    def __init__(self, loader: int, number: int, outer: int) -> None:
        self.loader = loader
        self.number = number
        self.outer = outer
        self.batches = 0
        self.whole = False
        self.rows = 0
        self.last = 0
        self.first: list[int] = []
        self.visited: set[int] = set()
        self.order = hashlib.sha256()


class Loaders:
    """Watches DataLoaders and their passes. See the module."""

    name = "data"

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.loaders: list[DataLoader[Any]] = []
        self.passes: list[_Pass] = []
        self.sums: dict[int, Sums] = {}
        self.names: dict[int, list[str]] = {}
        self._first: dict[int, int] = {}
        self._opening: _Pass | None = None

    def install(self) -> None:
        self.flight.watch(DataLoader, "__iter__", self._beginning, self._begun)
        self.flight.watch(_BaseDataLoaderIter, "_next_index", after=self._indices)
        self.flight.watch(_BaseDataLoaderIter, "__next__", None, self._next, self._raised)

    def loader(self, loader: DataLoader[Any]) -> int:
        """The index of a loader; -1 beyond the cap."""
        for i, known in enumerate(self.loaders):
            if known is loader:
                return i
        if len(self.loaders) >= LOADERS_CAP:
            return -1
        self.loaders.append(loader)
        return len(self.loaders) - 1

    def _beginning(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._opening = None
        if len(self.passes) >= PASSES_CAP:
            return None
        index = self.loader(args[0])
        found = _Pass(index, len(self.passes), self.flight.current_pass)
        if index >= 0 and index not in self.names:
            self.names[index] = self._called(args[0])
        self.passes.append(found)
        self._opening = found
        self._first.setdefault(found.loader, found.number)
        return found

    def _begun(self, note: Any, args: Any, kwargs: Any, iterator: Any) -> None:
        self._opening = None
        if note is None:
            self.flight.current_pass = -1
            return
        setattr(iterator, MARK, note)  # on the iterator, so that it lives as long
        self.flight.current_pass = note.number
        self.flight.always("pass", loader=note.loader, number=note.number)
        self.flight.tell("begun", note.loader)

    def _called(self, loader: Any) -> list[str]:
        """The names that the program's running code has for a loader."""
        names: set[str] = set()
        for scope in self.flight.scopes():
            names |= {n for n, v in scope.items() if v is loader}
        return sorted(n[:80] for n in names)[:8]

    def _indices(self, note: Any, args: Any, kwargs: Any, result: Any) -> None:
        # workers are fed while the iterator is being made, or made ready for another pass
        found = self._opening or getattr(args[0], MARK, None)
        if found is None or not isinstance(result, (list, tuple, int)):
            return
        numbers = [i for i in ([result] if isinstance(result, int) else result) if i is not None]
        if not all(isinstance(i, (int, np.integer)) for i in numbers):  # keys, not places
            numbers = [hash(str(i)) for i in numbers]
        numbers = [int(i) for i in numbers]
        found.order.update(repr(numbers).encode())
        if len(found.visited) < VISITED_CAP:
            found.visited.update(numbers)
        found.first.extend(numbers[: max(0, INDICES_CAP - len(found.first))])

    def _raised(self, note: Any, args: Any, kwargs: Any, error: BaseException) -> None:
        if isinstance(error, StopIteration):
            self._ended(args[0])

    def _next(self, note: Any, args: Any, kwargs: Any, batch: Any) -> None:
        found = getattr(args[0], MARK, None)
        if found is None:
            return
        found.batches += 1
        self.flight.current_pass = found.number
        self.flight.counts["batch"] += 1
        self.flight.tell("batch", batch)
        rows = _rows(batch)
        found.rows += rows
        found.last = rows
        if found.number == self._first.get(found.loader):
            self.sums.setdefault(found.loader, Sums()).add(batch)

    def _ended(self, iterator: Any) -> None:
        found = getattr(iterator, MARK, None)
        if found is None or found.whole:
            return
        found.whole = True
        self.flight.tell("ended", found.loader)
        self.flight.always(
            "passed", loader=found.loader, number=found.number, batches=found.batches
        )
        self.flight.current_pass = found.outer

    def report(self) -> dict[str, Any]:
        """`loaders` and `passes`; see the module."""
        datasets: list[Any] = []

        def index(dataset: Any) -> int:
            for i, known in enumerate(datasets):
                if known is dataset:
                    return i
            datasets.append(dataset)
            return len(datasets) - 1

        loaders = [
            {
                "dataset": index(loader.dataset),
                "names": self.names.get(i, []),
                "sampler": type(_sampler(loader)).__name__[:80],
                "batch_size": loader.batch_size,
                "drop_last": bool(loader.drop_last),
                "workers": loader.num_workers,
                "generator": loader.generator is not None,
            }
            for i, loader in enumerate(self.loaders)
        ]
        return {
            "loaders": loaders,
            "datasets": [_described(d, index) for d in datasets[:64]],
            "passes": [
                {
                    "loader": p.loader,
                    "batches": p.batches,
                    "rows": p.rows,
                    "last": p.last,
                    "whole": p.whole,
                    "first": p.first,
                    "order": p.order.hexdigest()[:16],
                }
                for p in self.passes
            ],
            "pairs": self._pairs(),
        }

    def _pairs(self) -> list[dict[str, Any]]:
        """What any two loaders that were passed over share, and how their inputs are scaled."""
        used = [i for i in sorted(self._first) if i >= 0][:PAIRED_CAP]
        told = []
        for a, b in itertools.permutations(used, 2):
            first, second = self.sums.get(a, Sums()), self.sums.get(b, Sums())
            scaled = {"first": first, "second": second, "union": first.joined(second)}
            told.append(
                {
                    "loaders": [a, b],
                    "overlap": overlap(
                        self.loaders[a].dataset,
                        self.loaders[b].dataset,
                        self.passes[self._first[a]].visited,
                        self.passes[self._first[b]].visited,
                        _pool(self.loaders[a]),
                    ),
                    "scaled": {
                        k: {n: plain(v) for n, v in (s.told() or {}).items()}
                        for k, s in scaled.items()
                    },
                }
            )
        return told


def _sampler(loader: DataLoader[Any]) -> Any:
    """What chooses the order: of a batch sampler of the program's own, the sampler that it asks."""
    if loader.batch_size is not None or loader.batch_sampler is None:
        return loader.sampler
    return getattr(loader.batch_sampler, "sampler", loader.batch_sampler)


def _pool(loader: DataLoader[Any]) -> set[int] | None:
    """The indices that a loader's sampler may give; None for all of the data set's."""
    chosen = getattr(_sampler(loader), "indices", None)
    if chosen is None or not hasattr(chosen, "__len__"):
        return None
    return {int(i) for i in chosen if isinstance(i, (int, np.integer, torch.Tensor))}


def _rows(batch: Any) -> int:
    """How many samples a batch holds; 0 where that cannot be told."""
    if isinstance(batch, torch.Tensor):
        return int(batch.shape[0]) if batch.ndim else 1
    values = list(batch.values()) if isinstance(batch, dict) else batch
    if isinstance(values, (list, tuple)):
        for value in values:
            if isinstance(value, torch.Tensor) and value.ndim:
                return int(value.shape[0])
    return 0


def _described(dataset: Any, index: Any) -> dict[str, Any]:
    """A data set in a few words: class, length, its transform; a Subset's parent and range."""
    try:
        length = len(dataset)
    except TypeError:
        length = -1
    told: dict[str, Any] = {
        "class": type(dataset).__name__[:80],
        "length": length,
        "iterable": not isinstance(dataset, Dataset) or length < 0,
        "transform": str(getattr(innermost(dataset), "transform", None))[:300],
        "varies": varies(dataset),
        "train": getattr(dataset, "train", None) if hasattr(dataset, "train") else None,
    }
    if isinstance(dataset, Subset):
        told["parent"] = index(dataset.dataset)
    return told
