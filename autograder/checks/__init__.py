"""The standard checks, by name. An assignment's `use:` refers to one of `REGISTRY`.

Each module exposes `CHECKS`; nothing registers itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from .base import Calibration, Context, HiddenData, StandardCheck

__all__ = ["Calibration", "Context", "HiddenData", "StandardCheck", "registry"]


@lru_cache(maxsize=1)
def registry() -> Mapping[str, StandardCheck]:
    """Every standard check by name. Raises ValueError where two share one."""
    found: dict[str, StandardCheck] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda i: i.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for check in getattr(module, "CHECKS", ()):
            if check.name in found:
                raise ValueError(f"two checks are called '{check.name}'")
            found[check.name] = check
    return MappingProxyType(found)
