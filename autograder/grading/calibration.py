"""Accuracy thresholds from measurement: how well the reference does on exactly this root.

The reference solution trains in boxes from several seeds, and `checks.accuracy.from_accuracies`
turns its accuracies on hidden images into a threshold and a floor. Committed calibrations stand in
`assignments/<id>/calibration.yml` by the root's fingerprint; an unknown root is calibrated
at first use and remembered in the cache, for the release of torch that measured it.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from ..authoring.master import given_files, reference
from ..checks import Calibration
from ..checks.accuracy import accuracy_of, from_accuracies, network_request
from ..checks.base import Inconclusive
from ..checks.judge import World
from ..checks.reference.operations import Unknown
from ..errors import ConfigError, GraderError
from ..model import Job, Limits, ProbeRequest, Program
from ..sandbox import Sandbox
from .environment import versions

Each = Callable[[Callable[[int], "float | str"], Iterable[int]], Iterator["float | str"]]
SEEDS = 10
"""Runs of the reference where a root is met for the first time: half a minute's work for the
longest assignment. `autograder calibrate` takes more, and gets a higher threshold."""
APART = 1000
"""Seeds of one program lie so far from each other that a program which counts its own up from the
first (one for each epoch or worker) never meets the next."""


def trained(
    world: World,
    program: Program,
    files: Mapping[str, bytes],
    sandbox: Sandbox,
    limits: Limits,
    data: Path,
    seeds: int,
    each: Each = map,
) -> list[float | str]:
    """The accuracy in [0, 1] of one program from each of `seeds` seeds, in boxes; where a run
    leaves no network whose accuracy can be told, why. `each` is `map`, or a pool's.

    The seeds are those that it gives to `torch.manual_seed`, shifted by 0, `APART`, 2 * `APART` …;
    one that gives none begins with such a seed.
    """
    spec = next(c for c in world.assignment.checks if world.check(c).calibrated)
    context = world.context(spec)
    asked, seeded = network_request(context), _seeded(program)

    def run(seed: int) -> float | str:
        request = ProbeRequest(
            "accuracy:reference_accuracy",
            {**asked.args, "offset": APART * seed},
            asked.tensors,
            "fresh",
            check_s=limits.wall_s,
        )
        with sandbox.open(Job(seeded, files, limits, data, world.device == "cuda")) as box:
            evidence = box.probe(request)
        if evidence.status != "done":
            return str(evidence.error or evidence.detail or evidence.status)
        try:
            return accuracy_of(context, evidence)
        except (Unknown, Inconclusive) as e:
            return str(e)

    return list(each(run, range(seeds)))


def _seeded(program: Program) -> Program:
    """A program that begins with a seed for torch; what it seeds by itself counts later."""
    seed = '__import__("torch").manual_seed(0)\n'
    if program.kind == "notebook":
        return replace(program, cells=(seed, *program.cells))
    text = program.cells[0]
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return program  # it will not run in any case
    begun = 0
    for i, line in enumerate(body):
        words = i == 0 and isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
        future = isinstance(line, ast.ImportFrom) and line.module == "__future__"
        if not words and not future:  # these have to stand first
            break
        begun = line.end_lineno or begun
    lines = text.splitlines(keepends=True)
    head = [line if line.endswith("\n") else line + "\n" for line in lines[:begun]]
    return replace(program, cells=("".join([*head, seed, *lines[begun:]]), *program.cells[1:]))


def measure(
    world: World,
    root: Path,
    sandbox: Sandbox,
    limits: Limits,
    data: Path,
    seeds: int = SEEDS,
    each: Each = map,
) -> Calibration:
    """Train the reference from `seeds` seeds in boxes. Raises `GraderError` if one fails."""
    source = root / "source" / world.assignment.id
    program, files = reference(source, world.assignment, "script"), given_files(source)
    found = trained(world, program, files, sandbox, limits, data, seeds, each)
    accuracies = [a for a in found if isinstance(a, float)]
    if len(accuracies) < len(found):
        why = next(a for a in found if isinstance(a, str))
        raise GraderError(
            f"the reference of {world.assignment.id} could not be calibrated: {why}",
            remedy="run the source as a script and mend it; its network is of layers of torch.nn",
        )
    return from_accuracies(accuracies, place(world.device))


def place(device: str) -> dict[str, str]:
    """Where accuracies are measured, as far as it may matter to them: device, versions, and the
    name of a GPU. A box computes on one thread (`inside.box.template`), whatever the machine has.
    """
    known = versions()
    found = {"device": device, "threads": "1"}
    found |= {name: known[name] for name in ("python", "torch", "torchvision", "numpy")}
    if device == "cuda":
        found["gpu"] = _gpu()
    return found


def _gpu() -> str:
    """The name of the GPU; "" where torch sees none. Asked in another process: the grader's own
    holds no accelerator.
    """
    code = "import torch; print(torch.cuda.get_device_name(0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def moved(measured: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """In what a place of grading differs from that of a calibration so that accuracies may, too, in
    words. Another release of torch (2.13, say) may have other defaults and kernels; its patches,
    Python and numpy have not. What was not written down is not compared.
    """
    found = []
    for name in ("torch", "gpu", "threads"):
        then, now = measured.get(name, ""), here.get(name, "")
        if name == "torch":
            then, now = _release(then), _release(now)
        if then and now and then != now:
            found.append(f"{name} {then}, here {now}")
    return found


def _release(version: str) -> str:
    """`2.13` of `2.13.0+cpu`."""
    return ".".join(version.partition("+")[0].split(".")[:2])


def committed(path: Path) -> dict[str, Calibration]:
    """What a calibration.yml holds, by key; nothing where there is none. Raises `ConfigError`."""
    if not path.is_file():
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {key: _calibration(one) for key, one in raw.items()}
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


def _calibration(row: Mapping[str, object]) -> Calibration:
    accuracies, measured = row["accuracies"], row.get("measured", {})
    if not isinstance(accuracies, Sequence) or not isinstance(measured, Mapping):
        raise TypeError("accuracies are a list, and measured is a mapping")
    told = {str(k): str(v) for k, v in measured.items()}
    return from_accuracies([float(a) for a in accuracies], told)


def calibration_for(
    world: World, root: Path, sandbox: Sandbox, limits: Limits, data: Path, cache: Path
) -> Calibration:
    """The committed calibration of this root, else the remembered one, else a new one."""
    assert world.hidden is not None
    key = f"{world.hidden.fingerprint}-v{world.assignment.version}-{world.device}"
    known = committed(root / "assignments" / world.assignment.id / "calibration.yml")
    if key in known:
        return known[key]
    name = f"{key}-{SEEDS}-torch{_release(versions()['torch'])}.json"
    remembered = cache / "calibration" / world.assignment.id / name
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
