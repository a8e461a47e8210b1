"""What every test may rely on: the built-in images, one thread, no window, no network of ours.

FIVE_BEATS_DATA, where it is set, chooses other images for the tests that train; the tests
that state figures of the built-in digits ask for those by name.
"""

from __future__ import annotations

import os

import pytest

# Before torch or matplotlib is imported by a test module, and for every child process.
os.environ.setdefault("FIVE_BEATS_DATA", "embedded")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU where there is none; the summary counts it as deselected."""
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if not needing:
        return
    import torch

    if not torch.cuda.is_available():
        items[:] = [item for item in items if item not in needing]
        config.hook.pytest_deselected(items=needing)
