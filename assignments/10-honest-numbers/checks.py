"""The hidden checks of this assignment, by the task they ask about."""

from .lit import lit_accuracy, lit_loss, lit_repeats
from .numbers import (
    absolute,
    alarm_rates,
    alarm_rng,
    best_mean,
    best_of_each,
    decision,
    either_deviation,
    gains,
    over_n,
    runs,
    smaller,
    table_rows,
)
from .payoff import amp_measures, amp_on_a_gpu
from .races import both, from_zero, histories, losses, only_above, race_fair, shootout_rows
from .runs import run_best, run_recipe, run_repeats, run_split

__all__ = [
    "absolute",
    "alarm_rates",
    "alarm_rng",
    "amp_measures",
    "amp_on_a_gpu",
    "best_mean",
    "best_of_each",
    "both",
    "decision",
    "either_deviation",
    "from_zero",
    "gains",
    "histories",
    "lit_accuracy",
    "lit_loss",
    "lit_repeats",
    "losses",
    "only_above",
    "over_n",
    "race_fair",
    "run_best",
    "run_recipe",
    "run_repeats",
    "run_split",
    "runs",
    "shootout_rows",
    "smaller",
    "table_rows",
]
