"""`autograder calibrate`: measure the reference on this machine's data, and commit what was found.

The measurement itself is `calibration.measure`; here it is put into
`assignments/<id>/calibration.yml`, by the key under which the grader will look for it.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from ..checks.base import Calibration, HiddenData
from ..checks.judge import World, check_of
from ..errors import ConfigError, InputError
from ..results import files
from .calibration import measure
from .grader import Grader

HEADER = (
    "# Accuracies of the reference solution on hidden images, by data root, version and device.\n"
    "# Written by `autograder calibrate`; thresholds follow from these (see calibration.py).\n"
)


def recalibrate(grader: Grader, name: str, seeds: int) -> tuple[Path, str, Calibration]:
    """Measure `seeds` runs and commit them; returns the file, its key and the calibration.

    Raises `InputError` for an assignment without a check of accuracy, `GraderError` where
    the reference fails.
    """
    assignment = grader.assignment(name)
    prepared = grader.prepared(assignment)
    measured = any(check_of(assignment, c).calibrated for c in assignment.checks)
    if prepared is None or not measured:
        raise InputError(f"'{name}' has no check of accuracy to calibrate")
    hidden = HiddenData(
        prepared.dataset, prepared.fingerprint, prepared.hidden_images, prepared.hidden_labels
    )
    world = World(assignment, hidden, device=grader.device)
    limits = grader.limits(assignment)
    found = measure(world, grader.root, grader.sandbox, limits, prepared.root, seeds)
    path = grader.root / "assignments" / name / "calibration.yml"
    key = f"{prepared.fingerprint}-v{assignment.version}-{grader.device}"
    table = _read(path)
    table[key] = {"dataset": prepared.dataset, "accuracies": list(found.accuracies)}
    files.write_whole(path, _dump(table))
    return path, key, found


def carried(grader: Grader, name: str) -> bytes:
    """A calibration.yml that holds what is committed, and what holds for this machine's data.

    For a grader that travels without the source, and so cannot measure for itself. Raises
    `GraderError` where the reference, which may have to run for this, fails.
    """
    assignment = grader.assignment(name)
    table = _read(grader.root / "assignments" / name / "calibration.yml")
    world = grader.world(name)
    if world.calibration is not None and world.hidden is not None:
        key = f"{world.hidden.fingerprint}-v{assignment.version}-{grader.device}"
        accuracies = list(world.calibration.accuracies)
        table[key] = {"dataset": world.hidden.dataset, "accuracies": accuracies}
    return _dump(table)


def _dump(table: dict[str, object]) -> bytes:
    return (HEADER + yaml.safe_dump(table, sort_keys=True)).encode()


def _read(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as e:
        raise ConfigError("is not valid YAML", where=path, remedy="mend or remove it") from e
    if not isinstance(table, dict):
        raise ConfigError("must be a mapping", where=path, remedy="mend or remove it")
    return table
