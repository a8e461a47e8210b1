"""The recorder: what it notes of a whole run, and what that costs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from autograder.inside import torchvision_compat
from autograder.inside.program import Program
from autograder.inside.recorder import light
from tests.lab import PROGRAM, changed, digits


def recorded(source: str, home: Path) -> dict[str, Any]:
    """The report of a run in a process of its own, for the hooks stay until it ends."""
    root = digits()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(home)
            os.symlink(root, "data")
            torchvision_compat.declare()
            program = Program("script", "x.py", [source])
            watch = light.install(program)
            program.load()
            os.write(write, json.dumps(watch.report()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        found: dict[str, Any] = json.loads(f.read())
    os.waitpid(pid, 0)
    return found


def test_a_run_is_told_by_its_steps_rates_data_sets_and_files(tmp_path: Path) -> None:
    found = recorded(PROGRAM, tmp_path)
    assert found["steps"] == 15  # 3 epochs of 5 batches
    (optimizer,) = found["optimizers"]
    assert optimizer["type"] == "AdamW"
    assert optimizer["rates"] == [0.001]
    assert optimizer["modules"]["model"] == {"parameters": 4, "held": 4, "frozen": 0}
    assert found["datasets"] == ["TensorDataset", "TensorDataset"]
    assert {s["file"] for s in found["saves"]} == {"best_mlp.pt"}
    assert found["saves"][0]["steps"] == 5


def test_a_stale_optimizer_and_a_schedule_show(tmp_path: Path) -> None:
    source = changed(
        ("scaler = torch", "model = MLP().to(device)\nscaler = torch"),
        ("        scaler.update()\n", "        optimizer.param_groups[0]['lr'] *= 0.5\n"),
    )
    (optimizer,) = recorded(source, tmp_path)["optimizers"]
    assert optimizer["modules"]["model"]["held"] == 0
    assert optimizer["rates"][:3] == [0.001, 0.0005, 0.00025]
    assert len(optimizer["rates"]) == light.RATES_CAP


def test_a_run_without_an_optimizer_is_an_empty_record(tmp_path: Path) -> None:
    found = recorded("x = 1\n", tmp_path)
    assert found == {"steps": 0, "optimizers": [], "datasets": [], "saves": []}


def test_records_are_capped(tmp_path: Path) -> None:
    source = (
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "for i in range(100):\n"
        "    p = torch.nn.Parameter(torch.ones(1)); p.grad = torch.ones(1)\n"
        "    torch.optim.SGD([p], lr=1.0).step()\n"
        "    DataLoader([i]); torch.save(i, f'{i}.pt')\n"
    )
    found = recorded(source, tmp_path)
    assert found["steps"] == 100
    assert len(found["optimizers"]) == light.OPTIMIZERS_CAP
    assert len(found["datasets"]) == light.DATASETS_CAP
    assert len(found["saves"]) == light.SAVES_CAP


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1, 1.0),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        ("x", None),
        (None, None),
    ],
)
def test_numbers_are_made_plain(value: object, told: object) -> None:
    assert light.plain(value) == told
