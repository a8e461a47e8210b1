"""The recorder leaves each call as it was: PyTorch's public idioms under it and without it.

`tests/idioms.py` runs as a plain program and under the flight recorder, each in a process of its
own. What comes of each idiom, results, exceptions, warnings and random numbers alike, must be the
same to the last bit, and no observer may have stumbled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IDIOMS = Path(__file__).parents[2] / "idioms.py"
NAMES = [
    line.removeprefix("def ").partition("(")[0]
    for line in IDIOMS.read_text(encoding="utf-8").replace("@idiom\n", "@").splitlines()
    if line.startswith("@def ")
]
DRIVER = """
import json, sys
import torch
torch.set_num_threads(1)
from autograder.inside import torchvision_compat
torchvision_compat.declare()
from autograder.inside.program import Program
from autograder.inside.probes.recorder import record
_, kind, source, said = sys.argv
program = Program("script", "idioms.py", [open(source).read()])
faults = []
if kind == "recorded":
    faults = record(program, {"seconds": 900.0, "steps": None, "argv": []}, {})[0]["faults"]
else:
    program.load()
json.dump({"errors": program.errors, "faults": faults}, open(said, "w"))
"""
Run = tuple[dict[str, Any], dict[str, Any]]


def run(kind: str, home: Path) -> Run:
    """What came of every idiom, and what the run itself says: `errors`, `faults`."""
    home.mkdir()
    results, said = home / "results.json", home / "said.json"
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, kind, str(IDIOMS), str(said)],
        cwd=home,
        env={**os.environ, "IDIOMS": str(results), "PYTHONPATH": str(IDIOMS.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(said.read_text(encoding="utf-8"))
    assert not told["errors"], told["errors"]
    return json.loads(results.read_text(encoding="utf-8")), told


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("plain", tmp_path_factory.mktemp("plain") / "home")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("recorded", tmp_path_factory.mktemp("recorded") / "home")


@pytest.mark.slow
@pytest.mark.parametrize("name", [n.removeprefix("@def ") for n in NAMES])
def test_an_idiom_is_left_as_it_was(name: str, plain: Run, recorded: Run) -> None:
    assert recorded[0][name] == plain[0][name]


@pytest.mark.slow
def test_no_observer_stumbled(recorded: Run) -> None:
    assert not recorded[1]["faults"]
