"""What `plot_curves` is called with, and what its figure holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.checks.calls import Case, call


def histories(rng: np.random.Generator) -> Iterator[Case]:
    """Two runs and three, each of its own length and with a best epoch of its own."""

    def one(epochs: int) -> dict[str, Any]:
        return {
            "train_loss": np.sort(rng.uniform(0.1, 2.3, epochs))[::-1].round(3).tolist(),
            "val_loss": rng.uniform(0.3, 2.3, epochs).round(3).tolist(),
            "best_epoch": int(rng.integers(2, epochs)),
            "stopped_early": bool(epochs < 8),
        }

    yield call({"plain": one(8), "dropout": one(6)})
    yield call({"p = 0": one(5), "p = 0.2": one(9), "p = 0.5": one(7)})


def panels(told: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """An axes for each: both curves over the epochs from 1, a legend and the mark."""

    def curve(history: Mapping[str, Any], name: str, label: str) -> dict[str, Any]:
        values = history[name]
        return {"y": values, "x": list(range(1, len(values) + 1)), "label": label}

    return {
        "panels": [
            {
                "curves": [curve(h, "train_loss", "train"), curve(h, "val_loss", "val")],
                "vertical": [h["best_epoch"]],
                "legend": True,
                "title": name,
            }
            for name, h in told.items()
        ],
        "only": True,
    }
