"""Questions about data sets that only the objects themselves can answer, put after the run.

    varies       does reading an item twice give two different inputs?
    overlap      do two data sets share samples?
    Sums         what the inputs of one pass add up to, so that statistics of any union of passes
                 can be had without keeping an image

A sample's identity is its index in the data set that two subsets share, or its place in memory
where two data sets are views of one tensor. Equal values alone are no identity: real data repeats
itself. Only where a whole run of rows appears in both, in the same order and with its targets, is
that taken for the same samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import Subset, TensorDataset

from .tensors import concrete

READS, ITEMS, ROWS_CAP, FEATURES_CAP = 3, 4, 20_000, 1_024
RUN = 8
"""How many rows in a row two data sets must share before equal values count as one sample."""


def _parts(item: Any) -> tuple[torch.Tensor | None, Any]:
    """An item's input as a tensor, and its target (None without one)."""
    first, second = item, None
    if isinstance(item, (list, tuple)) and item:
        first, second = item[0], item[1] if len(item) > 1 else None
    if isinstance(item, dict) and item:
        values = list(item.values())
        first, second = values[0], values[1] if len(values) > 1 else None
    if isinstance(first, np.ndarray):
        first = torch.from_numpy(first)
    return (first if isinstance(first, torch.Tensor) else None), second


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.shape == b.shape and bool(torch.equal(a, b))
    try:
        return bool(a == b)
    except Exception:  # an object whose comparison is no yes or no
        return True


def varies(dataset: Any) -> str:
    """Whether repeated reads of an item differ: "input" where the input alone does, "all" where the
    target does too, "" where neither does or nothing can be read.
    """
    try:
        n = min(ITEMS, len(dataset))
        reads = [[_parts(dataset[i]) for _ in range(READS)] for i in range(n)]
    except Exception:  # whatever a program's data set does: then nothing is known of it
        return ""
    inputs = targets = False
    for item in reads:
        first, target = item[0]
        if first is None:
            return ""
        inputs = inputs or any(not _same(first, other) for other, _ in item[1:])
        targets = targets or any(not _same(target, other) for _, other in item[1:])
    return "all" if inputs and targets else "input" if inputs else ""


def _indices(dataset: Any) -> tuple[Any, list[int]] | None:
    """A subset as its innermost parent and the indices there; None for no subset."""
    if not isinstance(dataset, Subset):
        return None
    indices = [int(i) for i in dataset.indices]
    parent: Any = dataset.dataset
    while isinstance(parent, Subset):
        indices = [int(parent.indices[i]) for i in indices]
        parent = parent.dataset
    return parent, indices


def _rows(dataset: Any) -> torch.Tensor | None:
    """All inputs of a data set of tensors as (rows, features), else None."""
    found = _indices(dataset)
    held, indices = found if found is not None else (dataset, None)
    if not isinstance(held, TensorDataset) or held.tensors[0].ndim == 0:
        return None
    x = held.tensors[0]
    if indices is not None:
        x = x[indices]
    return x.reshape(len(x), -1) if 0 < len(x) <= ROWS_CAP else None


def _shared_run(a: torch.Tensor, b: torch.Tensor) -> int:
    """The length of the longest run of distinct rows that appears in both, in the same order."""
    if a.shape[1] != b.shape[1] or a.shape[1] < 2:
        return 0
    keys_a = [row.tobytes() for row in a.detach().numpy()]
    keys_b = [row.tobytes() for row in b.detach().numpy()]
    if len(set(keys_a)) < 0.98 * len(keys_a):  # data that repeats itself proves nothing
        return 0
    at = {key: i for i, key in enumerate(keys_a)}
    longest = run = 0
    previous = -2
    for key in keys_b:
        here = at.get(key, -2)
        run = run + 1 if here >= 0 and here == previous + 1 else int(here >= 0)
        longest = max(longest, run)
        previous = here
    return longest


def innermost(dataset: Any) -> Any:
    """The data set that a subset, or a subset of one, was taken from."""
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return dataset


def overlap(
    a: Any, b: Any, used_a: set[int], used_b: set[int], pool: set[int] | None = None
) -> dict[str, int]:
    """What two loaders share: {"shared", "first", "second", "pool", "within"}: `first` and `second`
    how many samples each read, `pool` how many the first may read, which a pass that is broken
    off, or one that draws with replacement, does not show; `within` how many of the second's are
    among these. `used_a` and `used_b` are the indices that their samplers gave out; empty where
    none were seen, and then all of a data set counts. `pool` are those that the first's sampler may
    give, None for all.
    """
    first, second = _indices(a), _indices(b)
    parent_a, ids_a = first if first is not None else (a, list(range(max(0, _length(a)))))
    parent_b, ids_b = second if second is not None else (b, list(range(max(0, _length(b)))))
    whole = len(used_a) in (0, len(ids_a)) and len(used_b) in (0, len(ids_b))
    everything = ids_a if pool is None else [ids_a[i] for i in pool if 0 <= i < len(ids_a)]
    ids_a = [ids_a[i] for i in sorted(used_a) if 0 <= i < len(ids_a)] or ids_a
    ids_b = [ids_b[i] for i in sorted(used_b) if 0 <= i < len(ids_b)] or ids_b
    sizes = {"first": len(ids_a), "second": len(ids_b)}

    def told(shared: int, within: int) -> dict[str, int]:
        return {"shared": shared, **sizes, "pool": len(everything), "within": within}

    if parent_a is parent_b:
        given = set(ids_b)
        return told(len(set(ids_a) & given), len(set(everything) & given))
    if not whole:
        return told(0, 0)
    if first is None and second is None and _same_files(a, b):
        return told(sizes["second"], sizes["second"])
    x, y = _rows(a), _rows(b)
    run = _shared_run(x, y) if x is not None and y is not None else 0
    return told(run if run >= RUN else 0, run if run >= RUN else 0)


def _same_files(a: Any, b: Any) -> bool:
    """Whether two data sets of torchvision's kind hold the same images and targets."""
    for name in ("data", "targets"):
        mine, yours = getattr(a, name, None), getattr(b, name, None)
        if not isinstance(mine, torch.Tensor) or not isinstance(yours, torch.Tensor):
            return False
        if mine.shape != yours.shape or not torch.equal(mine, yours):
            return False
    return True


def _length(dataset: Any) -> int:
    try:
        return len(dataset)
    except Exception:  # an endless stream has none
        return -1


class Sums:
    """Count, sum, sum of squares, least and largest of inputs, per feature, in float64."""

    def __init__(self) -> None:
        self.rows = 0
        self.total: torch.Tensor | None = None
        self.squares: torch.Tensor | None = None
        self.low: torch.Tensor | None = None
        self.high: torch.Tensor | None = None

    def add(self, batch: Any) -> None:
        """Take in a batch's input; what is too wide, and rows with no number, are left out."""
        x, _ = _parts(batch)
        if x is None or not concrete(x) or not x.is_floating_point() or x.ndim < 2:
            return
        flat = x.detach().reshape(len(x), -1).double()
        flat = flat[flat.isfinite().all(1)]  # a value that is none adds up to none
        if flat.shape[1] > FEATURES_CAP or not len(flat):
            return
        if self.total is None or self.squares is None or self.low is None or self.high is None:
            self.total, self.squares = flat.sum(0), (flat**2).sum(0)
            self.low, self.high = flat.amin(0), flat.amax(0)
        elif self.total.shape == flat.shape[1:]:
            self.total, self.squares = self.total + flat.sum(0), self.squares + (flat**2).sum(0)
            self.low = torch.minimum(self.low, flat.amin(0))
            self.high = torch.maximum(self.high, flat.amax(0))
        else:
            return
        self.rows += len(flat)

    def joined(self, other: Sums) -> Sums:
        """Both together; empty where they do not fit each other."""
        out = Sums()
        mine = (self.total, self.squares, self.low, self.high)
        yours = (other.total, other.squares, other.low, other.high)
        if any(t is None for t in (*mine, *yours)) or mine[0].shape != yours[0].shape:  # type: ignore[union-attr]
            return out
        out.rows = self.rows + other.rows
        out.total, out.squares = mine[0] + yours[0], mine[1] + yours[1]  # type: ignore[operator]
        out.low = torch.minimum(mine[2], yours[2])  # type: ignore[arg-type]
        out.high = torch.maximum(mine[3], yours[3])  # type: ignore[arg-type]
        return out

    def told(self) -> dict[str, float] | None:
        """How far from standardised, all features together and at the worst of them: `mean`,
        `std`, `feature_mean`, `feature_std` (distances from 0 and 1; of the features that vary,
        the nearer of the population's and the sample's deviation), `low`, `high` (the largest
        distance of a feature's least from 0 and largest from 1).
        """
        if self.rows < 2 or self.total is None or self.squares is None:
            return None
        assert self.low is not None
        assert self.high is not None
        n, wide = self.rows, self.rows * self.total.numel()
        mean = self.total / n
        variance = (self.squares / n - mean**2).clamp_min(0)
        varying = variance > 1e-12
        if not bool(varying.any()):
            return None
        whole = float(self.total.sum()) / wide
        spread = max(0.0, float(self.squares.sum()) / wide - whole**2)

        def off(variances: torch.Tensor, count: int) -> float:
            population = float((variances.sqrt() - 1).abs().max())
            sample = float(((variances * count / max(1, count - 1)).sqrt() - 1).abs().max())
            return min(population, sample)

        return {
            "rows": float(n),
            "mean": abs(whole),
            "std": off(torch.tensor([spread], dtype=torch.float64), wide),
            "feature_mean": float(mean[varying].abs().max()),
            "feature_std": off(variance[varying], n),
            "low": float(self.low[varying].abs().max()),
            "high": float((self.high[varying] - 1).abs().max()),
        }
