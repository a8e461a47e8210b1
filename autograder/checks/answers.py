"""What a call gave, and where it differs from what is right.

Answers come out of a box as trees (`inside/trees.py`), as numbers that an assignment states, or as
what a known mistake computes; all become an `Answer`. A number may come as a tensor, a numpy array
or Python's own, and a sequence as a list, a tuple or an array, unless a check asks for one of them:
what is compared are the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..errors import GraderError
from ..model import Array, Evidence, Outcome, Status
from .base import Inconclusive

TOLERANCES: Mapping[str, tuple[float, float]] = {
    "float64": (1e-9, 1e-12),
    "float32": (1e-5, 1e-6),
    "bfloat16": (2e-2, 1e-2),
    "float16": (2e-3, 1e-3),
}
"""Relative and absolute, by the coarsest type of floats that went in or is to come out. A few of
its rounding errors (1e-16, 6e-8, 4e-3, 5e-4), added up over some hundred operations.
"""
TAMPERED = "the probe's answer was tampered with"
DEPTH = 12

Kind = Literal["number", "bool", "text", "none", "tensor", "array", "sequence", "dict", "other"]


@dataclass(frozen=True, eq=False)
class Answer:
    """One value. `array` where it is numeric; `items` of a sequence, `keys` of a dict; `type` is
    the name of its class, `dtype` that of an array, `graph` whether a tensor has one, `lazy`
    whether a sequence came out of an iterator, `length` how long it is.
    """

    kind: Kind
    type: str = ""
    array: Array | None = None
    text: str = ""
    items: tuple[Answer, ...] = ()
    keys: Mapping[str, Answer] = field(default_factory=dict)
    dtype: str = ""
    graph: bool = False
    lazy: bool = False
    length: int = 0

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        if self.kind == "none":
            return "None"
        if self.kind == "text":
            return repr(self.text[:40])
        if self.kind in ("number", "bool") and self.array is not None:
            return _number(self.array.item(), self.kind)
        if self.kind in ("tensor", "array") and self.array is not None:
            if not self.array.shape:
                return _number(self.array.item(), "number")
            return f"a {self.kind} of shape {self.array.shape}"
        if self.kind == "sequence":
            return f"a {self.type or 'list'} of {self.length}"
        return f"a dict with {sorted(self.keys)}"[:80] if self.kind == "dict" else f"a {self.type}"

    def parts(self) -> Iterator[Answer]:
        """Itself, and all that it holds."""
        yield self
        for one in (*self.items, *self.keys.values()):
            yield from one.parts()

    def numeric(self) -> Array | None:
        """As an array of float64: a number, an array, or a sequence of alike ones; else None."""
        if self.array is not None:
            return np.asarray(self.array, dtype=np.float64)
        if self.kind != "sequence" or len(self.items) != self.length:
            return None
        rows = [one.numeric() for one in self.items]
        if any(r is None for r in rows) or len({r.shape for r in rows if r is not None}) > 1:
            return None
        return np.array(rows, dtype=np.float64) if rows else np.zeros(0)

    def sequence(self) -> tuple[Answer, ...] | None:
        """Its items: of a sequence, or of an array along its first dimension; else None."""
        if self.kind == "sequence":
            return self.items
        if self.array is None or not self.array.shape:
            return None
        return tuple(Answer(self.kind, self.type, row, dtype=self.dtype) for row in self.array)


def _number(value: Any, kind: str) -> str:
    return str(bool(value)) if kind == "bool" else f"{float(value):.6g}"


# --- reading -------------------------------------------------------------------------------------


def _tampered() -> Inconclusive:
    return Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))


def read(tree: Any, evidence: Evidence, depth: int = 0) -> Answer:
    """An answer of a box. Raises `Inconclusive` for what no honest probe writes."""
    if not isinstance(tree, Mapping) or depth > DEPTH:
        raise _tampered()
    kind, name = tree.get("is"), str(tree.get("type", ""))[:80]
    if kind in ("none", "other"):
        return Answer(kind, name)
    if kind in ("number", "bool"):
        return Answer(kind, name, _value(tree.get("value")))
    if kind == "text" and isinstance(tree.get("value"), str):
        return Answer("text", name, text=tree["value"])
    if kind in ("tensor", "array"):
        array = evidence.tensors.get(str(tree.get("key")))
        if array is None:
            raise _tampered()
        return Answer(
            kind, name, array, dtype=str(tree.get("dtype"))[:20], graph=tree.get("graph") is True
        )
    items = tree.get("items")
    if kind in ("list", "tuple", "iterator") and isinstance(items, list):
        length = tree.get("length")
        if not isinstance(length, int):
            raise _tampered()
        parts = tuple(read(one, evidence, depth + 1) for one in items)
        return Answer("sequence", name, items=parts, lazy=kind == "iterator", length=length)
    if kind == "dict" and isinstance(items, Mapping):
        keys = {str(k): read(v, evidence, depth + 1) for k, v in items.items()}
        return Answer("dict", name, keys=keys)
    raise _tampered()


def _value(value: Any) -> Array:
    """A number of a tree: JSON has no nan and no infinity, which come as texts."""
    if isinstance(value, bool | int | float):
        return np.array(float(value))
    if value in ("nan", "inf", "-inf"):
        return np.array(float(value))
    raise _tampered()


def stated(value: Any) -> Answer:
    """A value of Python's as an answer. Raises `GraderError` for one that is none."""
    name = type(value).__name__
    if value is None:
        return Answer("none", name)
    if isinstance(value, bool | np.bool_):
        return Answer("bool", name, np.array(float(value)))
    if isinstance(value, str):
        return Answer("text", name, text=value)
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return Answer("tensor", name, value, dtype=str(value.dtype))
    if isinstance(value, int | float | np.number):
        return Answer("number", name, np.array(float(value)))
    if isinstance(value, list | tuple):
        items = tuple(map(stated, value))
        return Answer("sequence", name, items=items, length=len(items))
    if isinstance(value, Mapping):
        return Answer("dict", name, keys={str(k): stated(v) for k, v in value.items()})
    raise GraderError(f"a {name} is no answer that can be compared", remedy="give numbers")


# --- comparing -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Within:
    """How far apart two numbers may be."""

    relative: float
    absolute: float

    @classmethod
    def of(cls, dtypes: Sequence[str], stated: float | None = None) -> Within:
        """By the coarsest of these types, or as stated; then the absolute one is a thousandth of
        the relative one.
        """
        if stated is not None:
            return cls(stated, stated * 1e-3)
        known = [d for d in dtypes if d in TOLERANCES] or ["float64"]
        return cls(*max((TOLERANCES[d] for d in known), key=lambda t: t[0]))

    def close(self, right: Array, got: Array) -> Array:
        """Entry by entry. The absolute tolerance grows with the largest entry: small ones are often
        differences of large ones.
        """
        finite = np.abs(right[np.isfinite(right)])
        scale = max(1.0, float(finite.max())) if finite.size else 1.0
        with np.errstate(invalid="ignore"):
            near = np.abs(got - right) <= self.relative * np.abs(right) + self.absolute * scale
        same = near | (right == got) | (np.isnan(right) & np.isnan(got))
        return np.asarray(same)


@dataclass(frozen=True)
class Difference:
    """Where an answer departs from the right one: at which place, in words, and of which kind."""

    place: str
    says: str
    kind: Literal["value", "shape", "finite", "type"]

    @property
    def words(self) -> str:
        return f"{self.place} {self.says}".strip()


def compare(right: Answer, got: Answer, within: Within, place: str = "") -> Difference | None:
    """The first difference, or None. Raises `GraderError` where the right answer is of a kind that
    cannot be compared.
    """
    if right.array is not None:
        return _numbers(right, got, within, place)
    if right.kind == "sequence":
        items = got.sequence()
        if items is None or (got.kind == "sequence" and len(items) != got.length):
            return _other(right, got, place)
        if len(items) != right.length:
            said = f"has {len(items)} items, where {right.length} are right"
            return Difference(place, said, "shape")
        for i, (a, b) in enumerate(zip(right.items, items, strict=True)):
            if found := compare(a, b, within, f"{place}[{i}]"):
                return found
        return None
    if right.kind == "dict":
        for key, value in right.keys.items():
            if key not in got.keys:
                says = f"lacks the key {key!r}" if got.kind == "dict" else f"is {got.words}"
                return Difference(place, f"{says}, where {right.words} is right", "type")
            if found := compare(value, got.keys[key], within, f"{place}[{key!r}]"):
                return found
        return None
    if right.kind == "other":
        raise GraderError(f"a {right.type} is no answer that can be compared")
    same = right.kind == got.kind and right.text.strip() == got.text.strip()
    return None if same else _other(right, got, place)


def _other(right: Answer, got: Answer, place: str) -> Difference:
    kind: Any = "value" if right.kind == got.kind else "type"
    return Difference(place, f"is {got.words}, where {right.words} is right", kind)


def _numbers(right: Answer, got: Answer, within: Within, place: str) -> Difference | None:
    want, have = right.numeric(), got.numeric()
    assert want is not None
    if have is None or (right.kind == "bool" and got.kind == "sequence"):
        return _other(right, got, place)
    if not want.shape and have.shape == (1,) and right.kind in ("number", "bool"):
        have = have.reshape(())
    if want.shape != have.shape:
        said = f"has shape {have.shape}, where {want.shape} is right"
        if have.shape == want.shape[::-1] and want.ndim > 1:
            said += ": rows and columns are exchanged"
        return Difference(place, said, "shape")
    near = within.close(want, have)
    if near.all():
        return None
    broken = ~np.isfinite(have) & np.isfinite(want)
    first = np.unravel_index(int(np.flatnonzero(broken if broken.any() else ~near)[0]), want.shape)
    kind = right.kind if right.kind == got.kind else "number"
    is_, right_ = _number(have[first], kind), _number(want[first], kind)
    said = f"is {is_}, where {right_} is right"
    if want.shape:
        at = ", ".join(map(str, map(int, first)))
        said = f"has {is_} at [{at}], where {right_} is right"
        said += f" ({int((~near).sum())} of {want.size} entries differ)" if want.size > 1 else ""
    return Difference(place, said, "finite" if broken.any() else "value")
