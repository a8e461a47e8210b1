"""The hidden checks of this assignment, by the function they ask about."""

from .confusion import confusion_matrix, per_class
from .fit import fit_modes, fit_values
from .plot import curves, histories
from .setup import train_setup

__all__ = [
    "confusion_matrix",
    "curves",
    "fit_modes",
    "fit_values",
    "histories",
    "per_class",
    "train_setup",
]
