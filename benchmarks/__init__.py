"""Measurements, each with a command of its own; ratios within one run, never timed assertions."""
