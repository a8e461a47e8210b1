"""Arguments as they come in a request, and answers as they go out: trees of plain data and tensors.

    in    None, numbers, texts as they are; {"tensor": key, "requires_grad", "grad": key},
          {"array": key} (numpy), {"list": […]}, {"tuple": […]}, {"dict": [[key, value], …]},
          {"float": "nan"}, {"var": name}, {"own": name} or {"own": name, "args": […]}: what the
          assignment's probes.py defines, or what calling that gives
    out   {"is": "number", "value"}, "bool", "text", "none", "tensor" or "array" (with "key",
          "dtype", "shape", "graph"), "list", "tuple" or "iterator" ("items", "length"), "dict"
          ("items", by the text of the key), and "other", each with the name of its "type"

Whatever an object of the student's does when it is looked at, it is then an "other".
"""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .plain import finite

Tensors = dict[str, Tensor]
ITEMS_CAP, DEPTH_CAP, ENTRIES_CAP, TEXT_CAP = 4_000, 8, 1_000_000, 4_000
"""Of one answer: how many items of a list, how many levels, entries of a tensor, characters."""


class Maker:
    """Makes arguments of trees. `own` finds a name of probes.py, `variables` are a script's."""

    def __init__(self, tensors: Tensors, own: Callable[[str], Any]) -> None:
        self.tensors = tensors
        self.own = own
        self.variables: dict[str, Any] = {}

    def make(self, tree: Any, *, differentiable: bool = False) -> Any:
        """A fresh object; with `differentiable` every tensor of floats in it requires a gradient
        and none has one.
        """
        if isinstance(tree, list):
            raise TypeError("a bare list in a tree")
        if not isinstance(tree, dict):
            return tree
        kind = next(iter(tree))

        def each(trees: list[Any]) -> list[Any]:
            return [self.make(t, differentiable=differentiable) for t in trees]

        if kind == "tensor":
            return self._tensor(tree, differentiable=differentiable)
        if kind == "array":
            return self.tensors[tree["array"]].numpy().copy()
        if kind == "list":
            return each(tree["list"])
        if kind == "tuple":
            return tuple(each(tree["tuple"]))
        if kind == "dict":
            return {k: self.make(v, differentiable=differentiable) for k, v in tree["dict"]}
        if kind == "float":
            return float(tree["float"])
        if kind == "var":
            return self.variables[tree["var"]]
        found = self.own(tree["own"])
        return found(*each(tree["args"])) if "args" in tree else found

    def _tensor(self, tree: Mapping[str, Any], *, differentiable: bool) -> Tensor:
        made = self.tensors[tree["tensor"]].clone()
        if differentiable:
            return made.requires_grad_(made.is_floating_point())
        made.requires_grad_(bool(tree.get("requires_grad")))
        if tree.get("grad"):
            made.grad = self.tensors[tree["grad"]].clone()
        return made


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Tensor | np.ndarray[Any, Any]]]:
    """Every tensor and array in an argument, with its place, as `["images"][0]`."""
    if isinstance(value, (Tensor, np.ndarray)):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for i, one in enumerate(value):
            yield from leaves(one, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{path}[{key!r}]")


class Teller:
    """Tells answers as trees; their tensors are kept in `out`, under keys that begin with `key`."""

    def __init__(self, out: Tensors, key: str) -> None:
        self.out, self.key = out, key
        self.count = itertools.count()

    def tell(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """One answer. Of an iterator the items are taken, and told one by one as they come."""
        told = {"type": type(value).__name__[:80]}
        if value is None:
            return {**told, "is": "none"}
        if isinstance(value, (bool, np.bool_)):
            return {**told, "is": "bool", "value": bool(value)}
        if isinstance(value, (Tensor, np.ndarray)):
            return {**told, **self._array(value)}
        if isinstance(value, numbers.Real):
            return {**told, "is": "number", "value": finite(float(value))}
        if isinstance(value, str):
            return {**told, "is": "text", "value": value[:TEXT_CAP]}
        if depth < DEPTH_CAP and isinstance(value, Mapping):
            pairs = list(itertools.islice(value.items(), ITEMS_CAP))
            said = {str(k)[:200]: self.tell(v, depth + 1) for k, v in pairs}
            return {**told, "is": "dict", "items": said}
        if depth < DEPTH_CAP and (isinstance(value, (list, tuple)) or hasattr(value, "__next__")):
            kind = "list" if isinstance(value, list) else "tuple"
            kind = "iterator" if hasattr(value, "__next__") else kind
            items = [self.tell(v, depth + 1) for v in itertools.islice(iter(value), ITEMS_CAP)]
            size = len(items) if kind == "iterator" else len(value)
            return {**told, "is": kind, "items": items, "length": size}
        return {**told, "is": "other"}

    def _array(self, value: Tensor | np.ndarray[Any, Any]) -> dict[str, Any]:
        kind = "tensor" if isinstance(value, Tensor) else "array"
        shape = [int(n) for n in value.shape]
        graph = isinstance(value, Tensor) and value.requires_grad
        told = {"is": kind, "dtype": str(value.dtype).removeprefix("torch."), "graph": graph}
        told["shape"] = shape
        try:
            found = value.detach().cpu() if isinstance(value, Tensor) else torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError):
            return {**told, "is": "other"}
        if found.numel() > ENTRIES_CAP or found.is_complex() or found.layout != torch.strided:
            return {**told, "is": "other"}
        key = f"{self.key}.{next(self.count)}"
        self.out[key] = _plain(found)
        return {**told, "key": key}


def _plain(tensor: Tensor) -> Tensor:
    """A copy in a type that leaves the box."""
    if tensor.is_floating_point():
        return tensor.to(torch.float64, copy=True)
    return tensor.to(torch.int64, copy=True)
