"""The coefficients of gradients in a loop's steps, on a network small enough to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from autograder.checks.bare_steps import NoChain, Steps, Watched, explain, layers_of
from torch.nn import functional as F

SHAPES = ((16, 12), (16,), (5, 16), (5,))
Step = Callable[[list[torch.Tensor], list[torch.Tensor]], object]


def walk(update: Step, loss: Callable[..., torch.Tensor] = F.cross_entropy) -> Steps:
    """Four steps of `update(weights, all gradients so far)` in float32, explained."""
    drawn = torch.Generator().manual_seed(3)
    x = [torch.rand(n, 12, generator=drawn) for n in (32, 32, 20, 32)]
    y = [torch.randint(5, (len(part),), generator=drawn) for part in x]
    w = [torch.randn(s, generator=drawn) * 0.3 for s in SHAPES]
    history: list[torch.Tensor] = []
    before, after = [], []
    for images, labels in zip(x, y, strict=True):
        leaves = [p.clone().requires_grad_() for p in w]
        out = F.relu(images @ leaves[0].T + leaves[1]) @ leaves[2].T + leaves[3]
        found = torch.autograd.grad(loss(out, labels), leaves)
        history.append(torch.cat([g.reshape(-1) for g in found]))
        flat = torch.cat([p.reshape(-1) for p in w])
        before.append(flat.numpy().astype(np.float64))
        update([flat], history)
        after.append(flat.numpy().astype(np.float64))
        parts = torch.split(flat, [192, 16, 80, 5])
        w = [p.reshape(s).clone() for p, s in zip(parts, SHAPES, strict=True)]
    return explain(
        Watched(
            tuple(part.numpy().astype(np.float64) for part in x),
            tuple(part.numpy() for part in y),
            np.stack(before),
            np.stack(after),
            np.zeros((4, 16)),
            SHAPES,
        )
    )


def test_plain_steps_are_the_diagonal() -> None:
    steps = walk(lambda w, g: w[0].sub_(g[-1], alpha=0.25))
    assert steps.known and steps.objective == "given"
    np.testing.assert_allclose(steps.coefficients, 0.25 * np.eye(4), atol=1e-3)


def test_gradients_never_cleared_fill_the_triangle() -> None:
    steps = walk(lambda w, g: w[0].sub_(torch.stack(g).sum(0), alpha=0.25))
    np.testing.assert_allclose(steps.coefficients, 0.25 * np.tril(np.ones((4, 4))), atol=1e-2)


def test_momentum_fades() -> None:
    def update(w: list[torch.Tensor], g: list[torch.Tensor]) -> None:
        for age, old in enumerate(reversed(g)):
            w[0].sub_(old, alpha=0.25 * 0.8**age)

    steps = walk(update)
    np.testing.assert_allclose(steps.coefficients[3], 0.25 * 0.8 ** np.arange(3, -1, -1), atol=1e-2)


def test_a_step_that_comes_early_uses_the_batch_before() -> None:
    steps = walk(lambda w, g: w[0].sub_(g[-2], alpha=0.25) if len(g) > 1 else None)
    assert steps.moved == (False, True, True, True)
    np.testing.assert_allclose(steps.coefficients[1:, :3], 0.25 * np.eye(3), atol=1e-3)


def test_weight_decay_is_no_gradient() -> None:
    def update(w: list[torch.Tensor], g: list[torch.Tensor]) -> None:
        w[0].mul_(1 - 0.02).sub_(g[-1], alpha=0.25)

    np.testing.assert_allclose(walk(update).coefficients, 0.25 * np.eye(4), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("softmax", lambda out, y: F.cross_entropy(out.softmax(1), y)),
        ("softmax_nll", lambda out, y: F.nll_loss(out.softmax(1), y)),
        ("raw_nll", F.nll_loss),
        ("smoothed", lambda out, y: F.cross_entropy(out, y, label_smoothing=0.1)),
        ("mse", lambda out, y: F.mse_loss(out, F.one_hot(y, 5).float())),
    ],
)
def test_the_loss_is_told_by_what_is_left_over(
    name: str, loss: Callable[..., torch.Tensor]
) -> None:
    steps = walk(lambda w, g: w[0].sub_(g[-1], alpha=0.25), loss)
    assert (steps.objective, steps.known) == (name, True)


def test_clipping_by_value_is_a_plain_step() -> None:
    steps = walk(lambda w, g: w[0].sub_(g[-1].clamp(-0.01, 0.01), alpha=0.25))
    assert steps.known and not steps.optimizer
    np.testing.assert_allclose(np.diag(steps.coefficients), 0.25, rtol=1e-2)


@pytest.mark.parametrize("low", [True, False])
def test_clipping_by_norm_is_told_from_a_low_rate(low: bool) -> None:
    def update(w: list[torch.Tensor], g: list[torch.Tensor]) -> None:
        size = torch.linalg.vector_norm(g[-1])
        w[0].sub_(g[-1], alpha=0.02 if low else 0.1 * float(0.05 / size))

    found = walk(update)
    assert found.residual < 1e-3
    assert found.clipped is not low


def test_norms_that_hardly_differ_show_the_clipping_all_the_same() -> None:
    norms = np.array([0.2203, 0.2210, 0.2198, 0.2206])
    plain = walk(lambda w, g: w[0].sub_(g[-1], alpha=0.02))
    steps = replace(plain, coefficients=np.diag(0.1 * 0.05 / norms), lengths=tuple(norms))
    assert steps.clipped
    assert not replace(steps, coefficients=np.eye(4) * 0.0227).clipped


def test_noise_is_explained_by_nothing() -> None:
    steps = walk(lambda w, g: w[0].add_(torch.randn(w[0].shape), alpha=0.01))
    assert not steps.known and abs(steps.along) < 0.5


def test_only_a_chain_of_linear_layers_can_be_computed() -> None:
    assert layers_of(SHAPES) == [(0, 1), (2, 3)]
    assert layers_of(((8, 3), (2, 8))) == [(0, None), (1, None)]
    for shapes in ((), ((8,),), ((8, 3), (9,)), ((8, 3), (2, 7)), ((6, 1, 3, 3), (6,))):
        with pytest.raises(NoChain):
            layers_of(shapes)
