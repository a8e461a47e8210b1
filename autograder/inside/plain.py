"""Numbers of a student's program as plain data, as JSON carries them.

JSON knows no nan and no infinity, and a student's object may do anything in `__float__`; so every
figure that leaves a process goes through here.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

from torch import Tensor


def finite(value: float) -> float | str:
    """A float as JSON carries it here: itself, or "nan", "inf", "-inf"."""
    if math.isfinite(value):
        return float(value)
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")


def plain(value: Any) -> float | str | None:
    """Anything as a number: `finite` of it, or None where it is none."""
    try:
        return finite(float(value))
    except Exception:  # whatever a student's object does in __float__, it is no number
        return None


def number(value: Any) -> dict[str, Any]:
    """A returned value as plain data: `kind` (its type's name), `value` where it is a number.

    Python and numpy numbers and tensors of one element count as numbers; booleans do not.
    `graph` says whether a tensor still hangs on a graph.
    """
    kind = type(value).__name__[:80]
    if isinstance(value, Tensor):
        if value.numel() != 1 or value.is_complex():
            return {"kind": f"tensor of shape {tuple(value.shape)}"[:80]}
        graph = value.requires_grad
        return {"kind": kind, "value": finite(float(value.detach())), "graph": graph}
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        return {"kind": kind, "value": finite(float(value))}
    return {"kind": kind}


def described(value: Any, depth: int = 3, cap: int = 60) -> dict[str, Any]:
    """A returned value with what it holds: `number` of it, and of a list, a tuple or an array of
    one dimension its `length` and `values`, of a mapping its `items` by key; the first `cap` each.
    """
    told = number(value)
    if "value" in told or depth == 0:
        return told
    if isinstance(value, Mapping):
        items = list(value.items())[:cap]
        return {**told, "items": {str(k)[:80]: described(v, depth - 1, cap) for k, v in items}}
    if isinstance(value, (Tensor, str)) or not hasattr(value, "__len__"):
        if isinstance(value, Tensor) and value.dim() == 1:
            value = value.detach().cpu().tolist()
        elif isinstance(value, bool):
            return {**told, "flag": value}
        else:
            return told
    if not isinstance(value, (list, tuple)) and hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return told
    values = [described(v, depth - 1, cap) for v in list(value)[:cap]]
    return {**told, "length": len(value), "values": values}
