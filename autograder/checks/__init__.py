"""The checks, by name: an assignment's `use:` and `ask:` refer to one of `registry()`.

A *family* asks several questions of one thing (`training.clearing`, `training.beats`); most
families are a module here. What only one assignment needs stands in that assignment's own folder
(see `own`). Nothing registers itself: a check is an object in a module, found there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import (
    Calibration,
    Context,
    HiddenData,
    Inconclusive,
    Later,
    Malformed,
    Option,
    StandardCheck,
    check,
    field_of,
    place,
    probe,
    require,
    tensor_of,
)

__all__ = [
    "Calibration",
    "Context",
    "Evidence",
    "HiddenData",
    "Inconclusive",
    "Later",
    "Malformed",
    "Option",
    "Outcome",
    "ProbeRequest",
    "StandardCheck",
    "Status",
    "check",
    "field_of",
    "place",
    "probe",
    "registry",
    "require",
    "tensor_of",
]


@lru_cache(maxsize=1)
def registry() -> Mapping[str, StandardCheck]:
    """Every check of the package by its name. Raises `ValueError` where two share one."""
    found: dict[str, StandardCheck] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for one in vars(module).values():
            if isinstance(one, StandardCheck) and found.setdefault(one.name, one) is not one:
                raise ValueError(f"two checks are called '{one.name}'")
    return MappingProxyType(found)
