"""What `plot_history` is called with, and what its figure holds. (The accuracy may be in percent:
`scales` of the check.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.checks.calls import Case, call

EPOCHS = 5


def histories(rng: np.random.Generator) -> Iterator[Case]:
    """A loss that falls, and an accuracy that rises."""
    yield call(
        {
            "train_loss": np.sort(rng.uniform(0.2, 2.3, EPOCHS))[::-1].round(3).tolist(),
            "val_accuracy": np.sort(rng.uniform(0.3, 0.98, EPOCHS)).round(3).tolist(),
        }
    )


def curves(history: Mapping[str, list[float]]) -> Mapping[str, Any]:
    """Both series, in any axes."""
    return {"curves": [history["train_loss"], history["val_accuracy"]]}
