"""09-debugging-clinic: the figures of its handout, from real runs on MNIST where there is one.

The clinic works with the first 8,000 training images and the first 2,000 test images. Without a
torchvision root (FIVE_BEATS_DATA) only what needs no images is held to its figures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from scripts import pictures
from tests.samples import ROOT

HANDOUT = (ROOT / "source" / "09-debugging-clinic" / "clinic.py").read_text(encoding="utf-8")
GIVEN = os.environ.get("FIVE_BEATS_DATA", "")
real = pytest.mark.skipif(
    not (Path(GIVEN) / "MNIST").is_dir(), reason="FIVE_BEATS_DATA names no MNIST"
)
SHOWN = (1, 25, 49, 73, 97, 109)


def losses(rate: float, how: str = "") -> tuple[list[float], float]:
    """What the table says of a run: losses at the batches shown, and the accuracy."""
    model = pictures.clinic()["network"](0)
    sgd = torch.optim.SGD(model.parameters(), lr=rate)
    found = []
    for images, labels in pictures.digits(120):
        if how != "never cleared":
            sgd.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        torch.autograd.backward(loss)
        if how == "cleared before the step":
            sgd.zero_grad()
        sgd.step()
        found.append(loss.item())
    return [round(found[k - 1], 2) for k in SHOWN], pictures.accuracy(model)


@real
@pytest.mark.parametrize(
    ("rate", "how", "shown", "accuracy"),
    [
        (0.1, "", [2.31, 2.20, 1.99, 1.25, 0.77, 1.01], 0.79),
        (0.1, "never cleared", [2.31, 1.90, 0.83, 1.08, 1.58, 2.64], 0.26),
        (0.02, "never cleared", [2.31, 2.09, 1.05, 0.63, 0.32, 0.95], 0.81),
        (3.0, "", [2.31, 2.27, 2.32, 2.32, 2.31, 2.35], 0.10),
        (1e-5, "", [2.31, 2.30, 2.31, 2.32, 2.31, 2.31], 0.10),
        (1e-5, "cleared before the step", [2.31, 2.30, 2.31, 2.32, 2.31, 2.31], 0.10),
    ],
)
def test_the_table_of_symptoms(rate: float, how: str, shown: list[float], accuracy: float) -> None:
    found, right = losses(rate, how)
    assert found == pytest.approx(shown, abs=0.03)
    assert right == pytest.approx(accuracy, abs=0.015)


@real
def test_the_run_that_died() -> None:
    made = pictures.solved("09-debugging-clinic", "clinic")
    model = pictures.clinic()["network"](0)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = pictures.clinic()["mystery_batches"](0, GIVEN)
    records = made["black_box"](model, batches, nn.CrossEntropyLoss(), sgd)
    said = [r["loss"] for r in records[44:51]]
    assert said == pytest.approx([1.97, 2.01, 17.44, 404.72, 8.01, 5.85, 2.33], rel=0.02)
    assert made["first_bad"](records) == made["CULPRIT_STEP"] == 47
    assert [float(x.max()) > 1 for x, _ in batches].index(True) == 46
    assert records[46]["grad_norm"] > 100 * records[45]["grad_norm"]
    assert 2.2 < records[-1]["loss"] < 2.4


@real
def test_the_charts_are_drawn_from_the_patients() -> None:
    for name, picture in pictures.PICTURES.items():
        if name.startswith("09-"):
            assert (ROOT / "source" / name).read_text(encoding="utf-8") == picture(), name


def test_what_patient_8_says() -> None:
    drawn = (ROOT / "source/09-debugging-clinic/img/chart_8.svg").read_text(encoding="utf-8")
    assert drawn == pictures.chart(8)
    assert "mat1 and mat2 shapes cannot be multiplied" in drawn


def test_the_sixteen_names_are_ids_and_the_diagnoses_among_them() -> None:
    from autograder.bugs import BUGS

    table = HANDOUT.split("## Symptoms lie")[0]
    listed = {line.split("`")[1] for line in table.splitlines() if line.startswith("# | `")}
    right = pictures.solved("09-debugging-clinic", "clinic")["DIAGNOSIS"]
    assert len(listed) == 16 and listed <= set(BUGS)
    assert set(right.values()) <= listed and sorted(right) == list(range(1, 9))
