"""Reading what a program's tensors and modules hold, without running a line of its code.

Theory. Not every tensor has values that can be read where it is met: one within `vmap` or `grad`
stands for many, one on the meta device for none, a sparse or nested one has no rows to reshape, a
named one refuses half of all operations, and a subclass with a dispatcher of its own does what it
likes. Of those nothing is read (`concrete`). A module's `parameters`, `modules` and `train` may be
methods of the program's own, with other arguments and with effects; so what a module holds is
taken from where `nn.Module` keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # noqa: SLF001 - no public way
_plain_dispatch = torch._C._disabled_torch_dispatch_impl  # noqa: SLF001
_named = getattr(torch.Tensor, "has_names", lambda tensor: False)  # gone in later versions
KNOWN = (torch.Tensor, nn.Parameter)
FEW = 4
"""So many tensors of an argument or an output are looked at."""


def concrete(tensor: torch.Tensor) -> bool:
    """Whether a tensor's values can be read and given another shape: see the module."""
    kind = type(tensor)
    if kind not in KNOWN and kind.__torch_dispatch__ is not _plain_dispatch:
        return False
    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.is_nested or tensor.is_quantized or _named(tensor))
        and not _wrapped(tensor)
    )


def wrapped(tensor: torch.Tensor) -> bool:
    """Whether a tensor stands for others, within `vmap`, `grad` and their like."""
    return bool(_wrapped(tensor))


def shape_of(tensor: torch.Tensor) -> list[int]:
    """A tensor's shape, of six dimensions at most; nothing of one whose rows differ in length."""
    return [] if tensor.is_nested else list(tensor.shape)[:6]


def real(tensor: torch.Tensor) -> torch.Tensor:
    """A concrete tensor's values in a row, without a graph; a complex number is two."""
    values = tensor.detach()
    if values.is_complex():
        values = torch.view_as_real(values.resolve_conj())
    return values.reshape(-1)


def tensors(values: Any) -> list[torch.Tensor]:
    """The first few tensors among arguments or outputs, nested containers included."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    found: list[torch.Tensor] = []
    if isinstance(values, (list, tuple)):
        for value in values[: 2 * FEW]:
            found.extend(tensors(value))
    return found[:FEW]


def first(values: Any) -> torch.Tensor | None:
    """The first of `tensors`, or None."""
    if isinstance(values, torch.Tensor):
        return values
    found = tensors(values)
    return found[0] if found else None


def modules(module: nn.Module) -> Iterator[nn.Module]:
    """A module and all within it, once each."""
    seen: set[int] = set()
    todo = [module]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        held = getattr(one, "_modules", None) or {}
        todo.extend(reversed([m for m in held.values() if isinstance(m, nn.Module)]))


def named_parameters(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters of a module and of all within it, once each, by a name of their own."""
    seen: set[int] = set()
    todo = [("", module)]
    while todo:
        prefix, one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        for name, p in (getattr(one, "_parameters", None) or {}).items():
            if isinstance(p, torch.Tensor) and id(p) not in seen:
                seen.add(id(p))
                yield prefix + name, p
        held = getattr(one, "_modules", None) or {}
        inner = [(f"{prefix}{n}.", m) for n, m in held.items() if isinstance(m, nn.Module)]
        todo.extend(reversed(inner))


def parameters(module: nn.Module) -> list[torch.Tensor]:
    """The parameters of a module and of all within it, once each."""
    return [p for _, p in named_parameters(module)]
