"""The probes: each runs in a process of its own beside the student's code and returns evidence.

    def probe(program: Program, args: dict, tensors: dict[str, Tensor])
        -> tuple[dict, dict[str, Tensor]]

A request names one as `module:function`. What a probe returns is testimony; the judge
outside has the secret inputs and the reference.
"""

from __future__ import annotations

import importlib
import pkgutil


def warm() -> None:
    """Import every probe module, so that a forked child has them all."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
