"""The hidden checks of this assignment, by the function they ask about."""

from .confusion import confusion_matrix, per_class
from .fit import fit_modes, fit_values
from .plot import fit_plot
from .setup import train_setup

__all__ = [
    "confusion_matrix",
    "fit_modes",
    "fit_plot",
    "fit_values",
    "per_class",
    "train_setup",
]
