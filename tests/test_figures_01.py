"""01-autograd: every figure that its handout states is what the reference solution computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from scripts.pictures import PICTURES, solved
from tests.samples import ROOT

ID = "01-autograd"
HANDOUT = (ROOT / "source" / ID / "autograd.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return solved(ID, "autograd")


def rounded(values: Any) -> list[float]:
    return [round(float(v), 4) for v in values]


def test_the_pictures_are_drawn_from_the_solution() -> None:
    for name, picture in PICTURES.items():
        if name.startswith(ID):
            assert (ROOT / "source" / name).read_text(encoding="utf-8") == picture(), name


def test_standardised_metres_and_grams(made: dict[str, Any]) -> None:
    table = torch.tensor([[1.0, 1000.0], [2.0, 2000.0], [3.0, 3000.0]])
    for column in made["standardise"](table).T:
        assert rounded(column) == [-1.2247, 0.0, 1.2247]


def test_gradients_on_paper(made: dict[str, Any]) -> None:
    gradient = made["gradient"]
    assert float(gradient(lambda v: v**2, torch.tensor(3.0))) == 6
    assert round(float(gradient(torch.tanh, torch.tensor(1.0))), 4) == 0.42
    error = gradient(lambda v: (v[0] * 3 + v[1] - 5) ** 2, torch.tensor([2.0, 1.0]))
    assert error.tolist() == [12, 4]


def test_buckets(made: dict[str, Any]) -> None:
    levels = made["accumulated_gradient"]
    assert levels([lambda v: v**2] * 2, torch.tensor(1.0)).tolist() == [2, 4]
    slopes = [lambda v, s=s: s * v for s in (2.0, 1.8, 1.5)]
    assert rounded(levels(slopes, torch.tensor(7.0))) == [2.0, 3.8, 5.3]
    assert levels([], torch.ones(2, 3)).shape == (0, 2, 3)


def test_the_chain_of_the_picture(made: dict[str, Any]) -> None:
    links = [lambda x: x**2, lambda y: 3 * y, lambda z: z + 1]
    assert rounded(made["chain"](links, torch.tensor(2.0))) == [12, 3, 1]
    assert rounded(made["chain"](links, torch.tensor(3.0))) == [18, 3, 1]
    x = torch.tensor(2.0, requires_grad=True)
    names = made["tape"](3 * x**2 + 1)
    assert names == ["AddBackward0", "MulBackward0", "PowBackward0", "AccumulateGrad"]
    assert all(f"`{name}`" in HANDOUT for name in names)


def test_two_layers(made: dict[str, Any]) -> None:
    w1 = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0], [-1.0, 0.0, 1.0], [0.5, 0.5, 0.5]])
    w2 = torch.tensor([[1.0, -1.0, 2.0, 0.0], [0.0, 1.0, 1.0, -2.0]])
    x, target = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0])
    loss, d1, d2 = made["two_layer_gradients"](w1, w2, x, target)
    assert loss == 0.5
    assert d1.tolist() == [[0, 0, 0], [-1, -2, -3], [-1, -2, -3], [2, 4, 6]]
    assert d2.tolist() == [[0, 0, 0, 0], [0, -4, -2, -3]]
    assert float((w1 @ x)[0]) == -2, "the first relu is shut"


def test_jacobian(made: dict[str, Any]) -> None:
    table = made["jacobian"](
        lambda v: torch.stack([v[0] * v[1], v.sum(), v[2] ** 2]), torch.tensor([1.0, 2.0, 3.0])
    )
    assert table.tolist() == [[2, 1, 0], [1, 1, 1], [0, 0, 6]]


def test_descent_with_and_without_clearing(made: dict[str, Any]) -> None:
    one = torch.tensor([1.0])
    weights, losses = made["descend"](2.0, one, one, 0.1, 6)
    assert rounded(weights) == [1.8, 1.64, 1.512, 1.4096, 1.3277, 1.2621]
    assert rounded(losses) == [1.0, 0.64, 0.4096, 0.2621, 0.1678, 0.1074]
    w = torch.tensor(2.0, requires_grad=True)
    path, their_losses = [], []
    for _ in range(6):  # never cleared
        loss = (w - 1) ** 2
        torch.autograd.backward(loss)
        assert w.grad is not None
        with torch.no_grad():
            w -= 0.1 * w.grad
        path.append(w.item())
        their_losses.append(loss.item())
    assert rounded(path) == [1.8, 1.44, 0.992, 0.5456, 0.1901, -0.0035]
    assert abs(path[2] - 1) < abs(weights[2] - 1), "after three steps the bug is nearer"
    assert round(their_losses[3], 4) == 0.0001
    assert "0.9920 against 1.5120" in HANDOUT
    assert "0.0001, where yours is 0.2621" in HANDOUT
