"""The reference engine: each function against what torch computes of the same numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.checks.base import Inconclusive
from autograder.checks.reference import images, network, objective, updates
from autograder.checks.reference.replay import head_of, number_of, read
from autograder.model import Evidence

PIXELS, HIDDEN, CLASSES, ROWS = 6, 5, 4, 16
SHAPES = ((HIDDEN, PIXELS), (HIDDEN,), (CLASSES, HIDDEN), (CLASSES,))
MASK = (0.0, 1.5, 1.5, 1.5, 0.0)


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape)


def net(act: nn.Module, head: nn.Module | None = None, seed: int = 1) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = [nn.Linear(PIXELS, HIDDEN), act, nn.Linear(HIDDEN, CLASSES)]
    return nn.Sequential(*layers, *([] if head is None else [head])).double()


def vector(model: nn.Module) -> np.ndarray:
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy()


def sample(model: nn.Module, x: np.ndarray, *, training: bool = False) -> network.Sample:
    answers = model(torch.from_numpy(x)).detach().numpy()
    return network.Sample(vector(model), np.zeros(HIDDEN), x, answers, training)


# --- network -------------------------------------------------------------------------------------


def test_layers_are_found_by_their_shapes() -> None:
    assert network.layers_of(SHAPES) == [(0, 1), (2, 3)]
    assert network.layers_of(((5, 6), (4, 5))) == [(0, None), (1, None)]
    for bad in ((), ((5,),), ((5, 6), (4,)), ((5, 6), (4, 7)), ((5, 6), (5,), (5,)), ((1, 2, 3),)):
        with pytest.raises(network.NoChain):
            network.layers_of(bad)


MODULES: dict[str, nn.Module] = {
    "relu": nn.ReLU(), "none": nn.Identity(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(),
    "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"), "leaky_relu": nn.LeakyReLU(),
    "silu": nn.SiLU(), "elu": nn.ELU(), "softplus": nn.Softplus(), "relu6": nn.ReLU6(),
}  # fmt: skip


@pytest.mark.parametrize("name", network.ACTIVATIONS)
def test_an_activation_is_known_by_the_answers(name: str) -> None:
    model = net(MODULES[name])
    x = {"relu6": 12}.get(name, 3) * drawn(2, ROWS, PIXELS)
    found = network.identify(SHAPES, [sample(model, x)])
    assert found is not None
    assert (found.activations, found.head) == ((name,), "none")


@pytest.mark.parametrize(
    ("head", "module"),
    [
        ("log_softmax", nn.LogSoftmax(1)),
        ("softmax", nn.Softmax(1)),
        ("relu", nn.ReLU()),
        ("sigmoid", nn.Sigmoid()),
        ("tanh", nn.Tanh()),
    ],
)
def test_what_follows_the_last_layer_is_known_by_the_answers(head: str, module: nn.Module) -> None:
    model = net(nn.ReLU(), module)
    x = drawn(2, ROWS, PIXELS)
    found = network.identify(SHAPES, [sample(model, x)])
    assert found is not None
    assert (found.activations, found.head) == (("relu",), head)
    scores = nn.Sequential(*list(model)[:3])(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(found.scores(vector(model), np.zeros(HIDDEN), x), scores)


def test_answers_of_no_chain_are_of_none() -> None:
    seen = sample(net(nn.ReLU()), drawn(2, ROWS, PIXELS))
    beside = network.Sample(
        seen.state, seen.offset, seen.inputs, seen.answers + 0.01 * seen.inputs[:, :4], False
    )
    assert network.identify(SHAPES, [seen]) is not None
    assert network.identify(SHAPES, [seen, beside]) is None
    assert network.identify(SHAPES, []) is None


def test_a_mask_drops_hidden_units_in_training_mode_only() -> None:
    model, x = net(nn.Tanh()), drawn(2, ROWS, PIXELS)
    chain = network.Chain(SHAPES, ("tanh",), "none", MASK)
    state, offset = vector(model), np.zeros(HIDDEN)
    hidden = model[0](torch.from_numpy(x))
    masked = model[2]((hidden * torch.tensor(MASK)).tanh()).detach().numpy()
    assert np.allclose(chain.answers(state, offset, x, training=True), masked)
    plain = model(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(chain.answers(state, offset, x), plain)
    assert not np.allclose(plain, masked)


@pytest.mark.parametrize("head", [None, nn.LogSoftmax(1)])
def test_a_gradient_is_that_of_torch(head: nn.Module | None) -> None:
    model, x, pull = net(nn.GELU(), head), drawn(2, ROWS, PIXELS), drawn(3, ROWS, CLASSES)
    model(torch.from_numpy(x)).backward(torch.from_numpy(pull))
    right = torch.cat([p.grad.reshape(-1) for p in model.parameters() if p.grad is not None])
    seen = sample(model, x)
    chain = network.identify(SHAPES, [seen])
    assert chain is not None
    assert np.allclose(chain.gradient(seen, pull), right.numpy())


def test_an_offset_stands_for_constant_pixels() -> None:
    model = net(nn.ReLU())
    x = drawn(2, ROWS, PIXELS)
    x[:, 4:] = 0.7
    first = vector(model)[: HIDDEN * PIXELS].reshape(HIDDEN, PIXELS)
    state = np.concatenate([first[:, :4].reshape(-1), vector(model)[HIDDEN * PIXELS :]])
    shapes = ((HIDDEN, 4), *SHAPES[1:])
    chain = network.Chain(shapes, ("relu",))
    right = model(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(chain.answers(state, first[:, 4:] @ x[0, 4:], x[:, :4]), right)


def test_answers_agree_to_rounding_error() -> None:
    a = drawn(1, ROWS, CLASSES)
    assert network.agree(a, a.astype(np.float32).astype(np.float64))
    assert not network.agree(a, a * 1.001)
    assert network.agree(a, torch.from_numpy(a).bfloat16().double().numpy(), reduced=True)
    assert not network.agree(a, a[:-1])
    assert not network.agree(a, np.where(a == a.max(), np.inf, a))


# --- images --------------------------------------------------------------------------------------

IMAGES = np.rint(255 * np.random.default_rng(4).random((30, PIXELS)))
WIDE = np.rint(255 * np.random.default_rng(4).random((30, 40)))


@pytest.mark.parametrize("slope", [1 / 255, 1 / 127.5, -1.0])
def test_an_affine_preparation_is_found_with_its_images(slope: float) -> None:
    order = np.random.default_rng(5).permutation(30)[:20]
    columns, scale = np.arange(40), slope * np.linspace(1, 1.5, 40)
    rows = WIDE[order] * scale + 0.3
    found = images.prepare(rows, WIDE, columns, np.zeros(40))
    if slope < 0:  # an inverted image correlates with none
        assert found is None
        return
    assert found is not None
    preparation, which = found
    assert (which == order).all()
    assert np.allclose(preparation.of(WIDE), WIDE * scale + 0.3)


def test_rows_that_are_no_images_fit_nothing() -> None:
    columns = np.arange(40)
    noise = np.random.default_rng(6).random((20, 40))
    assert images.prepare(noise, WIDE, columns, np.zeros(40)) is None
    assert images.prepare(WIDE[:1], WIDE, columns, np.zeros(40)) is None


def test_an_image_is_known_by_its_print() -> None:
    columns = np.array([0, 1, 2, 3])
    constant = np.array([0, 0, 0, 0, 0.25, 0.5])
    made = images.Preparation(columns, constant, np.full(4, 1 / 255), np.zeros(4))
    prints = made.prints(IMAGES, ray=9)
    whole = np.concatenate([made.of(IMAGES), np.tile(constant[4:], (30, 1))], axis=1)
    ray = torch.randn(PIXELS, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    assert np.allclose(prints, whole @ ray.numpy(), atol=1e-6)
    assert not np.allclose(prints, made.prints(IMAGES, ray=10))
    assert images.by_prints(prints[[7, 3]], prints).tolist() == [7, 3]
    assert images.by_prints(prints[:1] + 1e-3, prints).tolist() == [-1]
    assert images.by_prints(prints[:2], prints[:0]).tolist() == [-1, -1]


# --- objective -----------------------------------------------------------------------------------

Z, Y = 2 * drawn(7, ROWS, CLASSES), np.random.default_rng(8).integers(0, CLASSES, ROWS)


def pull(function: Any, z: np.ndarray = Z) -> np.ndarray:
    """The gradient at z (B, C) of a loss of (logits, labels)."""
    leaf = torch.from_numpy(z).requires_grad_()
    (found,) = torch.autograd.grad(function(leaf, torch.from_numpy(Y)), leaf)
    return np.asarray(found.numpy())


LOSSES: dict[str, tuple[Any, float, float]] = {
    "cross_entropy": (F.cross_entropy, 1.0, 0.0),
    "cross_entropy, a sum": (lambda z, y: F.cross_entropy(z, y, reduction="sum"), ROWS, 0.0),
    "cross_entropy, a third": (lambda z, y: F.cross_entropy(z, y) / 3, 1 / 3, 0.0),
    "cross_entropy, scaled": (lambda z, y: 256 * F.cross_entropy(z, y), 256, 0.0),
    "cross_entropy, smoothed": (
        lambda z, y: F.cross_entropy(z, y, label_smoothing=0.2), 1.0, 0.2,
    ),
    "softmax": (lambda z, y: F.cross_entropy(z.softmax(1), y), 1.0, 0.0),
    "softmax_nll": (lambda z, y: F.nll_loss(z.softmax(1), y), 1.0, 0.0),
    "raw_nll": (F.nll_loss, 1.0, 0.0),
    "mse": (lambda z, y: F.mse_loss(z, F.one_hot(y, CLASSES).double()), 1.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSES)
def test_an_objective_is_named_by_its_pull(case: str) -> None:
    function, factor, smoothing = LOSSES[case]
    found = objective.name_objective(pull(function), Z, Y)
    assert found.name == case.partition(",")[0]
    assert found.factor == pytest.approx(factor, rel=1e-6)
    assert found.smoothing == pytest.approx(smoothing, abs=1e-6)
    assert found.right == (found.name == "cross_entropy")


@pytest.mark.parametrize("name", ["cross_entropy", "softmax", "softmax_nll", "raw_nll", "mse"])
def test_a_loss_and_its_pull_are_those_of_torch(name: str) -> None:
    function = LOSSES[name][0]
    right = function(torch.from_numpy(Z), torch.from_numpy(Y))
    found = objective.loss(name, torch.from_numpy(Z), torch.from_numpy(Y))
    assert torch.allclose(found, right)
    assert np.allclose(objective.pull_of(name, Z, Y), pull(function))


def test_class_weights_are_a_variation_and_are_told() -> None:
    weights = torch.tensor([0.5, 1.0, 2.0, 1.5]).double()
    found = objective.name_objective(pull(lambda z, y: F.cross_entropy(z, y, weights)), Z, Y)
    assert found.right and found.weighted
    told = np.array(found.weights) / found.weights[1]
    assert np.allclose(told, weights.numpy())


@pytest.mark.parametrize(
    ("decided", "n"),
    [*itertools.product([0.005, 0.05, 0.3, 1.0], [1, 2, 3, 5]), (0.5, 3 / 256), (1.0, 3 / 256)],
)
def test_smoothing_is_told_in_sixteen_bits_from_a_gradient_that_counts_less(
    decided: float, n: float
) -> None:
    z = decided * Z
    seen = pull(lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1) / n, z)
    rough = torch.from_numpy(seen).bfloat16().double().numpy()
    found = objective.name_objective(rough, z, Y, reduced=True, hint=0.1)
    assert found.smoothing == pytest.approx(0.1, abs=0.02)
    assert found.factor == pytest.approx(1 / n, rel=0.02)


def test_what_pulls_elsewhere_is_another_objective() -> None:
    assert objective.name_objective(drawn(9, ROWS, CLASSES), Z, Y).name == "other"
    near = pull(F.cross_entropy) + 0.01 * drawn(9, ROWS, CLASSES) / ROWS
    assert objective.name_objective(near, Z, Y).name == "variation"


def test_a_pull_is_taken_back_through_a_head() -> None:
    at = pull(F.nll_loss, torch.from_numpy(Z).log_softmax(1).numpy())
    assert np.allclose(objective.at_logits(at, Z, "log_softmax"), pull(F.cross_entropy))
    assert objective.at_logits(at, Z, "none") is at
    found = objective.name_objective(at, Z, Y, head="log_softmax")
    assert found.name == "cross_entropy"


# --- updates -------------------------------------------------------------------------------------

D = 60
G, LAST, W = drawn(11, D), drawn(12, D), drawn(13, D)
BLOCKS = (20, 30, 10)


def blocks(*times: float) -> np.ndarray:
    return np.repeat(np.array(times), BLOCKS)


def test_a_step_is_accounted_for_by_what_it_was_made_of() -> None:
    plain = updates.explain(G, [G], LAST, W)
    assert (plain.how, plain.kept) == ("exact", False)
    assert plain.own == pytest.approx(1)
    clipped = updates.explain(0.3 * G, [G], LAST, W)
    assert clipped.own == pytest.approx(0.3)
    kept = updates.explain(G + LAST, [G], LAST, W)
    assert kept.kept
    assert kept.again == pytest.approx(1)
    assert updates.explain(G + LAST, [G], LAST, None).kept
    momentum = updates.explain(G + 0.9 * LAST, [G], LAST, W)
    assert not momentum.kept
    decayed = updates.explain(G + 0.01 * W, [G], LAST, W)
    assert decayed.decay == pytest.approx(0.01)
    assert not decayed.kept


def test_several_gradients_of_one_step_are_told_apart() -> None:
    other = drawn(14, D)
    both = updates.explain((G + other) / 2, [G, other], LAST, W)
    assert both.uses == pytest.approx((0.5, 0.5))
    last = updates.explain(other, [G, other], LAST, W)
    assert last.uses == pytest.approx((0, 1), abs=1e-6)
    stale = updates.explain(LAST, [G], None, W, earlier=[LAST])
    assert stale.stale == pytest.approx(1)
    assert stale.own == pytest.approx(0, abs=1e-6)


def test_values_cut_off_and_blocks_by_themselves_are_known() -> None:
    cut = updates.explain(np.clip(G, -0.5, 0.5), [G], LAST, W)
    assert cut.how == "clamped"
    each = updates.explain(blocks(0.1, 0.5, 1) * G, [G], LAST, W, blocks=BLOCKS)
    assert (each.how, each.kept) == ("blocks", False)
    partly = updates.explain(G + blocks(0, 1, 0) * LAST, [G], LAST, W, blocks=BLOCKS)
    assert (partly.how, partly.kept) == ("blocks", True)
    assert not updates.explain(G + blocks(0, 1, 0) * LAST, [G], LAST, W).kept


def test_noise_is_no_account_and_names_nothing() -> None:
    noisy = updates.explain(G + 0.3 * drawn(15, D), [G], LAST, W)
    assert (noisy.how, noisy.kept) == ("noisy", False)
    assert updates.explain(drawn(15, D), [G], LAST, W).how == "unknown"
    nothing = updates.explain(np.zeros(D), [G], LAST, W)
    assert nothing.own == 0
    assert nothing.known


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True}, "Adam": {"lr": 0.01},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1}, "RMSprop": {"lr": 0.01}, "Adagrad": {"lr": 0.1},
    "NAdam": {"lr": 0.01}, "RAdam": {"lr": 0.01}, "Adamax": {"lr": 0.01}, "Adadelta": {"lr": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("honest", [True, False])
def test_an_optimizer_is_run_again(name: str, honest: bool) -> None:
    p = torch.from_numpy(W.copy()).requires_grad_()
    made = getattr(torch.optim, name)([p], **OPTIMIZERS[name])
    held, states = [G, LAST, G - LAST], []
    for g in held:
        before = p.detach().numpy().copy()
        p.grad = torch.from_numpy(g.copy())
        made.step()
        states.append((before, p.detach().numpy().copy()))
    settings = {k: v for k, v in made.param_groups[0].items() if k != "params"}
    told = {"type": name, "known": True, "groups": [settings], "member": [0]}
    if not honest:  # not what it held
        held = [g + drawn(16, D) for g in held]
    rates = [[settings["lr"]]] * 3
    found = updates.run_optimizer(told, held, rates, states, [D])
    assert found is not None
    assert found.fits is honest, found.residual


def test_an_optimizer_that_is_none_of_torchs_is_not_run() -> None:
    told = {"type": "LBFGS", "known": True, "groups": [{"lr": 1.0}], "member": [0]}
    assert updates.run_optimizer(told, [G], [[1.0]], [(W, W - G)], [D]) is None
    own = {**told, "type": "SGD", "known": False}
    assert updates.run_optimizer(own, [G], [[1.0]], [(W, W - G)], [D]) is None
    short = {**told, "type": "SGD", "member": [0, 0]}
    assert updates.run_optimizer(short, [G], [[1.0]], [(W, W - G)], [D]) is None


# --- replay --------------------------------------------------------------------------------------


def test_answers_tell_their_head() -> None:
    z = torch.from_numpy(Z)
    assert head_of(Z)[0] == "none"
    assert head_of(z.log_softmax(1).numpy())[0] == "log_softmax"
    head, scores = head_of(z.softmax(1).numpy())
    assert head == "softmax"
    assert np.allclose(scores, z.log_softmax(1).numpy())


def test_figures_that_are_none_become_nan() -> None:
    assert number_of(3) == 3.0
    several: list[Any] = [True, "inf", None, [1.0], {}]
    for junk in several:
        assert np.isnan(number_of(junk))


def traced(steps: int, *, clear: bool = True, forged: bool = False) -> tuple[Evidence, Tensor]:
    """The evidence of a small loop, by the trace itself; and its images."""
    from autograder.inside import trace

    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, HIDDEN), nn.ReLU(),
                          nn.Linear(HIDDEN, CLASSES))  # fmt: skip
    x = torch.from_numpy(IMAGES).float()[:ROWS] / 255
    labels = torch.from_numpy(Y)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0 if forged else 0.5)
    watch = trace.Trace("model", {"model": model}, keep=8, seed=3)
    with watch.watching():
        for _ in range(steps):
            if clear:
                optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    if forged:
        for step in watch.line_of(model).steps:
            step.moved = True
    data, tensors = watch.report(model)
    return Evidence("done", data, {k: v.numpy() for k, v in tensors.items()}), x


def replayed(evidence: Evidence) -> Any:
    return read(evidence, images.Known(IMAGES[:ROWS], Y.astype(np.int64)), ray=3)


def test_a_trace_is_read_with_images_objective_and_account() -> None:
    r = replayed(traced(3)[0])
    assert r.chain is not None
    assert r.chain.activations == ("relu",)
    assert [c.images.tolist() for c in r.calls] == [list(range(ROWS))] * 3
    assert {s.objective.name for s in r.sources} == {"cross_entropy"}
    assert all(u.account is not None and u.account.own == pytest.approx(1) for u in r.updates)
    assert all(u.moved and r.led(u) for u in r.updates)
    rates, optimizer = r.effective_rates()
    assert (optimizer, rates) == ("", pytest.approx([0.5] * 3, rel=1e-3))
    assert not r.still


def test_gradients_that_were_not_cleared_are_in_the_account() -> None:
    r = replayed(traced(3, clear=False)[0])
    assert [u.account is not None and u.account.kept for u in r.updates] == [False, True, True]


def test_weights_that_are_said_to_move_and_do_not_are_not_believed() -> None:
    r = replayed(traced(3, forged=True)[0])
    assert any(u.moved for u in r.updates)
    assert r.still


def test_evidence_that_does_not_fit_ends_the_judging() -> None:
    evidence, _ = traced(2)
    several: list[Any] = [None, [[1]], [["x"]], {}]
    for name, junk in itertools.product(("calls", "steps", "shapes"), several):
        with pytest.raises(Inconclusive):
            replayed(Evidence("done", {**evidence.data, name: junk}, evidence.tensors))
    for name in ("states", "inputs", "prints"):
        spoiled = {**evidence.tensors, name: np.zeros((1, 1, 1))}
        with pytest.raises(Inconclusive):
            replayed(Evidence("done", evidence.data, spoiled))
