"""The probes: each runs in a process of its own beside the student's code and returns evidence.

    def probe(program: Program, args: dict, tensors: dict[str, Tensor])
        -> tuple[dict, dict[str, Tensor]]

What a probe returns is testimony; the judge outside has the secret inputs and the reference.

A request names a probe by a key of `PROBES`, or one of the assignment's own as `own:function`. The
name is part of the request's digest, by which evidence is kept: it stays what it was when the
function moves to another module.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Probe = Callable[..., tuple[dict[str, Any], dict[str, Any]]]

PROBES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy:network": "accuracy:network",
        "accuracy:predictions": "accuracy:predictions",
        "accuracy:reference_accuracy": "accuracy:reference_accuracy",
        "architecture:forward": "architecture:forward",
        "calls:call": "calls:call",
        "calls:look": "calls:look",
        "calls:use": "calls:use",
        "checkpoints:checkpoint": "checkpoints:checkpoint",
        "checkpoints:present": "checkpoints:present",
        "drive:call": "drive:call",
        "figures:call": "figures:call",
        "flight:accelerated": "recorder:accelerated",
        "flight:first_steps": "recorder:first_steps",
        "flight:own_run": "recorder:own_run",
        "flight:record": "recorder:record",
        "loaders:orders": "loaders:orders",
        "loaders:shapes": "loaders:shapes",
        "run:program": "run:program",
        "values:call": "values:call",
        "wholerun:first_steps": "wholerun:first_steps",
    }
)
"""Names of probes, and where each is now: `module:function` of this package."""


def find(name: str) -> Probe:
    """The probe that requests call `name`. Raises LookupError where none is called so."""
    where = name if name.startswith("own:") else PROBES.get(name)
    if where is None:
        raise LookupError(f"no probe is called '{name}'")
    module, _, function = where.partition(":")
    probe: Probe = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return probe


def warm() -> None:
    """Import every probe module, so that a forked child has them all."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
