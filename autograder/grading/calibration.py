"""Accuracy thresholds from measurement: how well the reference does on exactly this root.

The reference solution trains in boxes from several seeds, and `checks.accuracy.from_accuracies`
turns its accuracies on hidden images into a threshold and a floor. Committed calibrations stand in
`assignments/<id>/calibration.yml` by the root's fingerprint; an unknown root is calibrated
at first use and remembered in the cache.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import yaml

from ..authoring.master import given_files, reference
from ..checks import Calibration
from ..checks.accuracy import accuracy_of, from_accuracies, network_request
from ..checks.judge import World
from ..checks.reference.operations import Unknown
from ..errors import ConfigError, GraderError
from ..model import Job, Limits, ProbeRequest
from ..sandbox import Sandbox

SEEDS = 5


def measure(
    world: World, root: Path, sandbox: Sandbox, limits: Limits, data: Path, seeds: int = SEEDS
) -> Calibration:
    """Train the reference from `seeds` seeds in boxes. Raises `GraderError` if one fails."""
    spec = next(c for c in world.assignment.checks if world.check(c).calibrated)
    context = world.context(spec)
    assert context.hidden is not None
    source = root / "source" / world.assignment.id
    program, files = reference(source, world.assignment, "script"), given_files(source)
    found = []
    for seed in range(seeds):
        asked = network_request(context)
        request = ProbeRequest(
            "accuracy:reference_accuracy",
            {**asked.args, "offset": 1000 * seed},
            asked.tensors,
            "fresh",
            check_s=limits.wall_s,
        )
        with sandbox.open(Job(program, files, limits, data, world.device == "cuda")) as box:
            evidence = box.probe(request)
        if evidence.status != "done":
            why = evidence.error or evidence.detail
            raise GraderError(
                f"the reference of {world.assignment.id} could not be calibrated: {why}",
                remedy="run the source as a script and mend it",
            )
        try:
            found.append(accuracy_of(context, evidence))
        except Unknown as e:
            raise GraderError(
                f"the reference of {world.assignment.id} could not be calibrated: {e}",
                remedy="write its network with layers of torch.nn",
            ) from e
    return from_accuracies(found)


def committed(path: Path) -> dict[str, Calibration]:
    """What a calibration.yml holds, by key; nothing where there is none. Raises `ConfigError`."""
    if not path.is_file():
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {
            key: from_accuracies([float(x) for x in one["accuracies"]]) for key, one in raw.items()
        }
    except (
        yaml.YAMLError,
        UnicodeDecodeError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as e:
        raise ConfigError(
            f"is no calibration: {type(e).__name__}: {e}",
            where=path,
            remedy=f"remove it and run: autograder calibrate {path.parent.name}",
        ) from e


def calibration_for(
    world: World, root: Path, sandbox: Sandbox, limits: Limits, data: Path, cache: Path
) -> Calibration:
    """The committed calibration of this root, else the remembered one, else a new one."""
    assert world.hidden is not None
    key = f"{world.hidden.fingerprint}-v{world.assignment.version}-{world.device}"
    known = committed(root / "assignments" / world.assignment.id / "calibration.yml")
    if key in known:
        return known[key]
    remembered = cache / "calibration" / world.assignment.id / f"{key}.json"
    if remembered.is_file():
        try:
            return from_accuracies([float(x) for x in json.loads(remembered.read_text())])
        except (ValueError, TypeError):
            remembered.unlink()  # written half, or by hand: measure again
    found = measure(world, root, sandbox, limits, data)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=remembered.parent, delete=False) as f:
        json.dump(found.accuracies, f)
    os.replace(f.name, remembered)
    return found
