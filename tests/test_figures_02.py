"""02-losses-and-optimizers: every figure that its handout states is what its solution computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from scripts.pictures import PICTURES, solved
from tests.samples import ROOT

ID = "02-losses-and-optimizers"
PARABOLA = {
    "SGD": [1.8, 1.64, 1.512, 1.4096, 1.3277, 1.2621],
    "momentum": [1.8, 1.46, 1.062, 0.6914, 0.4196, 0.2910],
    "Adam": [1.9, 1.8004, 1.7016, 1.6039, 1.5080, 1.4142],
    "AdamW": [1.8980, 1.7965, 1.6959, 1.5967, 1.4992, 1.4042],
}
"""The square of w - 1, from 2 at a rate of 0.1, after each of six steps."""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return solved(ID, "losses_and_optimizers")


def value(x: torch.Tensor) -> float:
    return round(float(x.detach()), 4)


def test_the_pictures_are_drawn_from_the_solution() -> None:
    for name, picture in PICTURES.items():
        if name.startswith(ID):
            assert (ROOT / "source" / name).read_text(encoding="utf-8") == picture(), name


def test_probabilities(made: dict[str, Any]) -> None:
    logs = made["log_softmax"](torch.tensor([[2.0, 1.0, 0.1]]))
    assert [round(float(p), 3) for p in logs.exp()[0]] == [0.659, 0.242, 0.099]


def test_cross_entropy(made: dict[str, Any]) -> None:
    loss = made["cross_entropy"]
    rows = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
    assert value(loss(rows, torch.tensor([0, 1]))) == 0.3185
    assert value(loss(rows[:1], torch.tensor([0]))) == 0.4170
    assert value(loss(rows.softmax(1), torch.tensor([0, 1]))) == 0.7450, "softmax before it"
    assert value(loss(torch.zeros(1, 10), torch.tensor([3]))) == 2.3026 == round(math.log(10), 4)


@pytest.mark.parametrize(
    ("p", "cost"),
    [(0.99, 0.0101), (0.9, 0.1054), (0.659, 0.4170), (0.5, 0.6931), (0.1, 2.3026), (0.01, 4.6052)],
)
def test_the_curve(made: dict[str, Any], p: float, cost: float) -> None:
    logits = torch.tensor([[p, 1 - p]]).log()
    assert value(made["cross_entropy"](logits, torch.tensor([0]))) == cost


def test_squares(made: dict[str, Any]) -> None:
    pred, target = torch.tensor([2.5, 3.1, 4.0]), torch.tensor([3.0, 3.0, 4.0])
    assert value(made["mse"](pred, target)) == 0.0867
    assert value(((pred[:, None] - target) ** 2).mean()) == 0.6200, "as a table"
    with pytest.raises(ValueError, match="shape"):
        made["mse"](pred[:, None], target)


def test_yes_or_no(made: dict[str, Any]) -> None:
    loss = made["bce_with_logits"]
    logits, answers = torch.tensor([2.0, -1.0, 0.0]), torch.tensor([1.0, 0.0, 1.0])
    assert value(loss(logits, answers)) == 0.3778
    assert value(loss(logits.sigmoid(), answers)) == 0.5525, "sigmoid twice"
    z = torch.tensor(0.0, requires_grad=True)
    loss(z, torch.tensor(1.0)).backward()
    assert z.grad is not None and float(z.grad) == -0.5, "also where the two halves meet"


def walk(make: Callable[[list[torch.Tensor]], Any]) -> list[float]:
    w = torch.tensor(2.0, requires_grad=True)
    optimizer, path = make([w]), []
    for _ in range(6):
        optimizer.zero_grad()
        torch.autograd.backward((w - 1) ** 2)
        optimizer.step()
        path.append(value(w))
    return path


def test_six_steps_on_the_parabola(made: dict[str, Any]) -> None:
    ours = {
        "SGD": lambda p: made["SGD"](p, 0.1),
        "momentum": lambda p: made["SGD"](p, 0.1, momentum=0.9),
        "Adam": lambda p: made["Adam"](p, 0.1),
        "AdamW": lambda p: made["AdamW"](p, 0.1),
    }
    theirs = {
        "SGD": lambda p: torch.optim.SGD(p, 0.1),
        "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "Adam": lambda p: torch.optim.Adam(p, 0.1),
        "AdamW": lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.01),
    }
    assert {name: walk(make) for name, make in ours.items()} == PARABOLA
    assert {name: walk(make) for name, make in theirs.items()} == PARABOLA


def test_the_first_step_without_correction_is_too_long() -> None:
    m, v = 1 - 0.9, 1 - 0.999
    assert round(m / math.sqrt(v), 2) == 3.16


@pytest.mark.parametrize(
    ("name", "crossed", "away"), [("SGD", 40, 0.22), ("momentum", 19, 0.30), ("Adam", 3, 0.10)]
)
def test_the_valley(made: dict[str, Any], name: str, crossed: int, away: float) -> None:
    w = torch.tensor([-4.0, 2.0], requires_grad=True)
    optimizer = {
        "SGD": lambda: made["SGD"]([w], 0.07),
        "momentum": lambda: made["SGD"]([w], 0.07, momentum=0.9),
        "Adam": lambda: made["Adam"]([w], 0.3),
    }[name]()
    path = made["trajectory"](optimizer, [w], lambda: (w[0] ** 2 + 25 * w[1] ** 2) / 2, 40)
    assert int((path[1:, 1] * path[:-1, 1] < 0).sum()) == crossed
    assert round(float(path[-1].norm()), 2) == away


def test_beyond_two_over_the_curvature_it_leaves_the_valley(made: dict[str, Any]) -> None:
    w = torch.tensor([-4.0, 2.0], requires_grad=True)
    sgd = made["SGD"]([w], 0.081)
    path = made["trajectory"](sgd, [w], lambda: (w[0] ** 2 + 25 * w[1] ** 2) / 2, 40)
    assert float(path[-1, 1].abs()) > 2
