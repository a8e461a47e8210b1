"""The hidden checks of this assignment, by the task they ask about."""

from .dropout import dropout_bounds, dropout_gradient, dropout_independent, dropout_shares
from .fit import fit_beats, fit_best, fit_losses, fit_modes, fit_no_graph, fit_stops
from .pair import mlp_dropout, pair_histories, pair_split
from .penalty import penalty_step, penalty_values
from .plot import histories, panels
from .stopping import (
    broken_losses,
    by_neighbour,
    creeping_best,
    curves,
    nan_ignored,
    nan_improves,
    never_reset,
    never_reset_but_quiet,
    one_early,
    one_late,
    resets,
    small_steps,
    ties_improve,
)

__all__ = [
    "broken_losses",
    "by_neighbour",
    "creeping_best",
    "curves",
    "dropout_bounds",
    "dropout_gradient",
    "dropout_independent",
    "dropout_shares",
    "fit_beats",
    "fit_best",
    "fit_losses",
    "fit_modes",
    "fit_no_graph",
    "fit_stops",
    "histories",
    "mlp_dropout",
    "nan_ignored",
    "nan_improves",
    "never_reset",
    "never_reset_but_quiet",
    "one_early",
    "one_late",
    "pair_histories",
    "pair_split",
    "panels",
    "penalty_step",
    "penalty_values",
    "resets",
    "small_steps",
    "ties_improve",
]
