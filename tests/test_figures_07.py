"""07-regularisation: every figure that its handout states is what its solution computes.

The opening picture needs the first 3,000 of MNIST's training images; without a torchvision root
(FIVE_BEATS_DATA) only what needs no images is held to its figures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from scripts import pictures
from tests.samples import ROOT

ID = "07-regularisation"
HANDOUT = (ROOT / "source" / ID / "regularisation.py").read_text(encoding="utf-8")
GIVEN = os.environ.get("FIVE_BEATS_DATA", "")
real = pytest.mark.skipif(
    not (Path(GIVEN) / "MNIST").is_dir(), reason="FIVE_BEATS_DATA names no MNIST"
)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return pictures.solved(ID, "regularisation")


def test_ten_ones(made: dict[str, Any]) -> None:
    layer = made["Dropout"](0.5)
    torch.manual_seed(0)
    assert set(layer(torch.ones(1000)).tolist()) == {0.0, 2.0}
    assert layer.eval()(torch.ones(10)).tolist() == [1.0] * 10


def test_three_parameters(made: dict[str, Any]) -> None:
    three = nn.ParameterList([nn.Parameter(torch.tensor(float(n))) for n in (1, 2, 3)])
    assert float(made["l2_penalty"](three, 0.1).detach()) == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("make", "penalised", "decayed"),
    [(torch.optim.SGD, 1.93, 1.93), (torch.optim.AdamW, 1.9, 1.88)],
)
def test_one_step_of_penalty_and_decay(
    made: dict[str, Any], make: Any, penalised: float, decayed: float
) -> None:
    for in_the_loss, right in ((True, penalised), (False, decayed)):
        weight = nn.ParameterList([nn.Parameter(torch.tensor(2.0))])
        optimizer = make(weight.parameters(), lr=0.1, weight_decay=0.0 if in_the_loss else 0.1)
        loss = 0.5 * weight[0]
        torch.autograd.backward(loss + (made["l2_penalty"](weight, 0.05) if in_the_loss else 0))
        optimizer.step()
        assert float(weight[0].detach()) == pytest.approx(right, abs=1e-4)
        assert f"{right:.4f}" in HANDOUT


@pytest.mark.parametrize(("patience", "stop"), [(1, 2), (2, 3), (3, 7)])
def test_the_table_of_patience(made: dict[str, Any], patience: int, stop: int) -> None:
    stopper = made["EarlyStopping"](patience)
    table = [0.9, 0.7, 0.8, 0.75, 0.6, 0.65, 0.66, 0.67]
    assert [stopper.step(loss) for loss in table].index(True) == stop


def test_the_network_has_109_386_parameters(made: dict[str, Any]) -> None:
    for p in (0.0, 0.2):
        assert sum(w.numel() for w in made["make_mlp"](p).parameters()) == 109_386


@real
def test_the_opening_picture() -> None:
    plain, right = pictures.overfitted(0.0)
    assert plain["best_epoch"] == 15
    assert plain["train_loss"][-1] == pytest.approx(0.03, abs=0.01)
    assert min(plain["val_loss"]) == pytest.approx(0.44, abs=0.01)
    assert plain["val_loss"][-1] == pytest.approx(0.50, abs=0.01)
    dropped, kept = pictures.overfitted(0.2)
    assert dropped["train_loss"][-1] == pytest.approx(0.10, abs=0.02)
    assert dropped["val_loss"][-1] == pytest.approx(0.44, abs=0.01)
    assert dropped["best_epoch"] > 15
    assert [round(100 * right, 1), round(100 * kept, 1)] == pytest.approx([88.2, 88.5], abs=0.3)


@real
@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_overfit_alike(seed: int) -> None:
    plain, right = pictures.overfitted(0.0, seed)
    dropped, kept = pictures.overfitted(0.2, seed)
    shown = {1: (89.0, 88.9), 2: (88.7, 89.2)}[seed]
    assert (100 * right, 100 * kept) == pytest.approx(shown, abs=0.3)
    assert 0.42 <= min(plain["val_loss"]) <= 0.44
    rise = [h["val_loss"][-1] - min(h["val_loss"]) for h in (plain, dropped)]
    assert rise[0] > 1.2 * rise[1]
    assert plain["train_loss"][-1] < 0.4 * dropped["train_loss"][-1]


@real
def test_dropout_raises_the_training_loss(made: dict[str, Any]) -> None:
    images = made["datasets"].MNIST(GIVEN, train=True)
    images.data, images.targets = images.data[:2400], images.targets[:2400]

    class Few:
        MNIST = staticmethod(
            lambda *a, **k: torch.utils.data.TensorDataset(
                images.data[:, None].float() / 255, images.targets
            )
        )

    told = made | {"datasets": Few}
    source = made["with_and_without"]
    both = type(source)(source.__code__, told, "with_and_without", source.__defaults__)("data")
    ends = {name: h["train_loss"][-1] for name, h in both.items()}
    assert 0.13 <= ends["plain"] <= 0.17
    assert 0.21 <= ends["dropout"] <= 0.27


@real
def test_the_picture_is_drawn_from_the_run() -> None:
    drawn = (ROOT / "source" / ID / "img" / "overfit.svg").read_text(encoding="utf-8")
    says = pictures.overfit().partition('aria-label="')[2].partition('"')[0]
    assert f'aria-label="{says}"' in drawn
