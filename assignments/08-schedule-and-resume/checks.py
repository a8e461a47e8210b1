"""The hidden checks of this assignment, by the function they ask about."""

from .amp import (
    accumulate_loss,
    accumulate_scaled,
    accumulate_step,
    amp_beats,
    amp_clip,
    amp_loss,
    amp_objective,
    amp_overflow,
    amp_scaler,
    amp_zero,
)
from .clipping import clip_values
from .resuming import (
    checkpoint_crash,
    checkpoint_model,
    checkpoint_plain,
    checkpoint_refuses,
    checkpoint_state,
)
from .schedule_beat import schedule_beats, schedule_order, schedule_rates
from .schedules import lr_curve, schedulers_traces

__all__ = [
    "accumulate_loss",
    "accumulate_scaled",
    "accumulate_step",
    "amp_beats",
    "amp_clip",
    "amp_loss",
    "amp_objective",
    "amp_overflow",
    "amp_scaler",
    "amp_zero",
    "checkpoint_crash",
    "checkpoint_model",
    "checkpoint_plain",
    "checkpoint_refuses",
    "checkpoint_state",
    "clip_values",
    "lr_curve",
    "schedule_beats",
    "schedule_order",
    "schedule_rates",
    "schedulers_traces",
]
