"""What a network computes, as a list of elementary operations that can be run again elsewhere.

Theory. Whatever a network is made of, it answers by operations of PyTorch's dispatcher, and a
handful of them says all there is to say of it: which products, which sums, which bends, in which
order and with which numbers. They are written down while the network answers once. A result that
hangs on the input is known by its place in the list; every other tensor that takes part is a
constant, such as a weight. Operations between constants are not written down, only what comes of
them: so a weight that is made of others (normalised, parametrised, averaged) is one constant like
any other.

    {"op": "addmm.default", "args": [{"c": 0}, {"r": 1}, {"c": 1}], "kwargs": {}}

is result number k of entry k - 1, made of constants 0 and 1 and of result 1; result 0 is the input.
A size that is that of the batch is {"n": 1}, so that other images can take its place.

A tensor is known by its memory, as views are objects of their own. What an operation changes in
place has a new number from then on, and other views of that memory are no longer known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

ENTRIES_CAP, NUMBERS_CAP = 400, 2_000_000
"""Operations, and numbers of constants, that are written down; far more than a lesson's network."""

Key = tuple[Any, ...]


class TooLong(Exception):  # noqa: N818 - an answer about a network, not an error
    """There are more operations, or numbers, than are written down."""


def _key(t: Tensor) -> Key | None:
    """A tensor's place in memory; None where it has none that could be told."""
    if t.layout is not torch.strided or not t.numel():
        return None
    return t.untyped_storage().data_ptr(), t.storage_offset(), tuple(t.shape), t.stride(), t.dtype


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within, what is made of `given` (N, ...) is written down: `entries`, `constants`, and
    `reduced`, whether anything was computed in 16 bits. N is to be a number that is no other size.
    """

    def __init__(self, given: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: list[dict[str, Any]] = []
        self.constants: list[Tensor] = []
        self.reduced = False
        self._count = len(given)
        self._results: dict[Key | None, int] = {_key(given): 0}
        self._constants: dict[Key | None, int] = {}
        self._numbers = 0
        self._kept: list[Any] = [given]  # memory that is freed would be given to another tensor

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        with self:  # an operation that is made of others is written down as those
            made = func.decompose(*args, **kwargs)
        if made is not NotImplemented:
            return made
        used = [a for a in _tensors((args, kwargs)) if _key(a) in self._results]
        entry = None
        if used:
            if len(self.entries) >= ENTRIES_CAP:
                raise TooLong
            name = str(func).removeprefix("aten.")
            told = {k: self._told(v) for k, v in kwargs.items()}
            entry = {"op": name, "args": [self._told(a) for a in args], "kwargs": told}
        out = func(*args, **kwargs)
        self._kept.append((args, kwargs, out))
        if func._schema.is_mutable:  # noqa: SLF001 - the only place that tells
            self._forget(args)
        if entry is not None:
            self.entries.append(entry)
            first = out[0] if isinstance(out, (tuple, list)) else out
            if isinstance(first, Tensor):
                self.reduced |= first.dtype in (torch.bfloat16, torch.float16)
                self._results[_key(first)] = len(self.entries)
        return out

    def number(self, t: Tensor) -> int | None:
        """The number of a result; None where it was made of something else."""
        return self._results.get(_key(t))

    def _forget(self, args: tuple[Any, ...]) -> None:
        """A changed tensor, and every other view of its memory, is none that was known."""
        memory = args[0].untyped_storage().data_ptr() if args and isinstance(args[0], Tensor) else 0
        for table in (self._results, self._constants):
            for key in [k for k in table if k is not None and k[0] == memory]:
                del table[key]

    def _told(self, value: Any) -> Any:
        """An argument as plain data."""
        if isinstance(value, Tensor):
            return self._named(value)
        if isinstance(value, (list, tuple)):
            return [self._told(v) for v in value]
        if isinstance(value, (bool, float, str)) or value is None:
            return value
        if isinstance(value, int):
            return {"n": 1} if value == self._count else value
        return None  # a type, a device, a layout: nothing that the numbers hang on

    def _named(self, t: Tensor) -> dict[str, int]:
        key = _key(t)
        if key in self._results:
            return {"r": self._results[key]}
        if key is None or key not in self._constants:
            self._numbers += t.numel()
            if self._numbers > NUMBERS_CAP:
                raise TooLong
            self._constants[key] = len(self.constants)
            self.constants.append(t.detach().clone())
        return {"c": self._constants[key]}


def _tensors(value: Any) -> list[Tensor]:
    """The tensors of a nest of lists and mappings."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for v in value for t in _tensors(v)] if isinstance(value, (list, tuple)) else []


def _plain(t: Tensor) -> Tensor:
    """A constant as numbers that lose nothing: float32, or float64 where it is wider."""
    narrow = t.dtype in (torch.float32, torch.bfloat16, torch.float16)
    return t.to("cpu", torch.float32 if narrow else torch.float64).contiguous()


def written(
    network: Callable[[Tensor], Tensor], samples: Tensor
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `network` makes of `samples` (N, ...), as data {"operations", "answer", "reduced"} and
    constants by the name "c<number>"; "answer" is the number of the result that is the
    network's answer. Nothing at all where that is none, or where there is too much to write down.
    """
    mode = Operations(samples)
    try:
        with torch.no_grad(), mode:
            answer = network(samples)
    except Exception:  # it answers otherwise: what cannot be written down while it does
        return {}, {}
    number = mode.number(answer)
    if number is None:
        return {}, {}
    entries, constants = _needed(mode.entries, number)
    data = {"operations": entries, "answer": len(entries), "reduced": mode.reduced}
    return data, {f"c{i}": _plain(mode.constants[c]) for i, c in enumerate(constants)}


def _needed(entries: list[dict[str, Any]], answer: int) -> tuple[list[dict[str, Any]], list[int]]:
    """The entries that result `answer` is made of, numbered anew, and the constants in them: what a
    program looked at besides, such as a guard against what is not finite, is no part of it.
    """
    used: dict[str, set[int]] = {"r": {answer}, "c": set()}
    for k in range(answer, 0, -1):
        if k in used["r"]:
            for named in _names(entries[k - 1]):
                for key, at in named.items():
                    used.setdefault(key, set()).add(at)
    used["r"].add(0)
    numbers = {key: {old: new for new, old in enumerate(sorted(at))} for key, at in used.items()}

    def anew(told: Any) -> Any:
        if isinstance(told, list):
            return [anew(t) for t in told]
        if not isinstance(told, dict):
            return told
        return {k: numbers[k][v] if k in ("r", "c") else anew(v) for k, v in told.items()}

    kept = [anew(e) for k, e in enumerate(entries, 1) if k in used["r"]]
    return kept, sorted(used["c"])


def _names(told: Any) -> list[dict[str, int]]:
    """The results and constants that an entry names."""
    if isinstance(told, dict):
        if set(told) in ({"r"}, {"c"}):
            return [told]
        told = list(told.values())
    return [n for t in told for n in _names(t)] if isinstance(told, list) else []
