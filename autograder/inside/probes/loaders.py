"""Probes of `train_loader` and `test_loader` as the program built them.

Theory. Order is behaviour: an iteration over a loader is an order of samples. Where a loader is a
plain DataLoader the order is read off its batch sampler, without touching an image (random
augmentation would hide it). Where that order stays the same, or there is no sampler, the order of
the labels over two whole iterations decides, which sees a data set or an iterator that shuffles by
itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from ..program import Program

Result = tuple[dict[str, Any], dict[str, Tensor]]
ORDER_CAP, BATCHES_CAP = 4_000, 2_000


def shapes(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """The first batch of each loader, and how many images an iteration gives.

    Returns per loader: `images` and `labels` (shape), their dtypes, `low` and `high` of the
    pixels, `seen` (images in one iteration), `size` (images in the data set, or None).
    """
    data: dict[str, Any] = {}
    for name in ("train_loader", "test_loader"):
        loader = program.get(name)
        batches = iter(loader)
        first = next(batches, None)
        pair = isinstance(first, (tuple, list)) and len(first) >= 2
        images, labels = first[:2] if pair and first is not None else (None, None)
        told: dict[str, Any] = {"pair": False}
        if isinstance(images, Tensor) and isinstance(labels, Tensor):
            told.update(
                pair=True,
                images=list(images.shape)[:8],
                labels=list(labels.shape)[:8],
                image_type=str(images.dtype).removeprefix("torch."),
                label_type=str(labels.dtype).removeprefix("torch."),
            )
            told["seen"] = _count(loader, len(images), batches)
            told["size"] = _length(getattr(loader, "dataset", None))
        data[name] = told
    return data, {}


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except TypeError:
        return None


def _indices(loader: Any) -> Iterable[Any] | None:
    """The loader's index batches, where it is a DataLoader over a map-style data set."""
    if isinstance(loader, torch.utils.data.DataLoader):
        sampler: Any = loader.batch_sampler
        return sampler if sampler is not None and _length(loader.dataset) is not None else None
    return None


def _count(loader: Any, first: int, rest: Any) -> int:
    indices = _indices(loader)
    if indices is not None:
        return sum(len(batch) for batch in indices)
    return first + sum(len(batch[0]) for batch in islice(rest, BATCHES_CAP))


def _by_sampler(loader: Any) -> list[int] | None:
    indices = _indices(loader)
    if indices is None:
        return None
    return [int(i) for batch in indices for i in batch][:ORDER_CAP]


def _by_labels(loader: Any) -> list[int]:
    labels = [batch[1].reshape(-1) for batch in islice(loader, BATCHES_CAP)]
    return [int(x) for x in torch.cat(labels)[:ORDER_CAP]] if labels else []


def orders(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Whether two iterations over each loader differ in order.

    args: seed. Returns per loader: `same` (two iterations have one order), `by` (`sampler` or
    `labels`), `batches` (how many there are in an iteration) and `images`.
    """
    torch.manual_seed(args["seed"])
    data: dict[str, Any] = {}
    for name in ("train_loader", "test_loader"):
        loader = program.get(name)
        first, second, by = _by_sampler(loader), _by_sampler(loader), "sampler"
        if first == second:  # no sampler, or one that keeps its order
            first, second, by = _by_labels(loader), _by_labels(loader), "labels"
        length = _length(loader)
        data[name] = {
            "same": first == second,
            "by": by,
            "batches": length,
            "images": len(first or []),
        }
    return data, {}
