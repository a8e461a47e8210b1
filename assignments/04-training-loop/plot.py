"""The check of `plot_history`: what the figure holds."""

from __future__ import annotations

import numpy as np

from autograder.checks.base import Context, check, probe, require
from autograder.model import Evidence, Outcome


def _history(ctx: Context) -> dict[str, list[float]]:
    rng = ctx.rng("plot")
    return {
        "train_loss": np.sort(rng.uniform(0.2, 2.3, 5))[::-1].round(3).tolist(),
        "val_accuracy": np.sort(rng.uniform(0.3, 0.98, 5)).round(3).tolist(),
    }


@check(
    main=lambda ctx: probe("plot", {"history": _history(ctx)}),
    bugs=("missing_name", "wrong_value"),
    help="Draw both lists into one figure, and return the figure.",
)
def fit_plot(ctx: Context, main: Evidence) -> Outcome:
    """A Figure in which both series are drawn; the accuracy may be in percent."""
    done = require(main)
    kind = str(done.data.get("kind"))[:80]
    if kind != "Figure":
        return Outcome.failed(f"plot_history returned {kind}, not a Figure", "wrong_value")
    raw = done.data.get("drawn")
    drawn = [d for d in raw if isinstance(d, list)] if isinstance(raw, list) else []
    numbers = [[float(v) for v in d if isinstance(v, (int, float))] for d in drawn]
    for name, values in _history(ctx).items():
        scales = (1.0, 100.0) if name == "val_accuracy" else (1.0,)
        if not any(
            len(d) == len(values) and np.allclose(d, np.array(values) * s, rtol=1e-3)
            for d in numbers
            for s in scales
        ):
            return Outcome.failed(
                f"the figure has {len(drawn)} curves, and none of them is '{name}'", "wrong_value"
            )
    return Outcome.passed()
