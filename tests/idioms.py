"""PyTorch's own public idioms, as a program: each function is one, and returns what came of it.

Run as a script it calls all of them and writes {name: what came of it} to the file that the
environment's IDIOMS names. What comes of one is its result, or the exception that it raised, and
the warnings that it gave. Everything is seeded and runs on one thread, so that two runs agree to
the last bit.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import functools
import inspect
import io
import itertools
import json
import math
import os
import pickle
import random
import tempfile
import threading
import warnings
import weakref
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy, dropout
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)

IDIOMS = {}


def idiom(function):
    """Put a function into the table."""
    assert function.__name__ not in IDIOMS, function.__name__
    IDIOMS[function.__name__] = function
    return function


def told(value):
    """A value as plain data: tensors as numbers, objects by their class."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided and not value.is_nested:
            value = value.to_dense()
        if value.is_nested:
            return [told(v) for v in value.unbind()]
        if value.is_complex():
            value = torch.view_as_real(value.resolve_conj())
        plain = value.detach().as_subclass(torch.Tensor)
        return [str(plain.dtype), list(plain.shape), plain.double().reshape(-1).tolist()]
    if isinstance(value, (bool, int, str, type(None))):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(k): told(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return [type(value).__name__, *(told(v) for v in value)]
    if isinstance(value, nn.Module):
        return [type(value).__name__, told(dict(value.state_dict()))]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return type(value).__name__


def net():
    """A small classifier."""
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))


def data():
    """24 rows of six numbers, and their classes."""
    return torch.randn(24, 6), torch.randint(0, 3, (24,))


def trained(model, steps=3, optimizer=None, loss=F.cross_entropy):
    """A model after a few steps, and its losses."""
    x, y = data()
    optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return losses, model


# --- gradients ----------------------------------------------------------------------------------


@idiom
def grad_of_a_generator():
    model = net()
    x, y = data()
    return torch.autograd.grad(F.cross_entropy(model(x), y), model.parameters())


@idiom
def grad_of_a_filter_and_a_map():
    model = net()
    x, y = data()
    loss = F.cross_entropy(model(x), y)
    wanted = filter(lambda p: p.ndim > 1, model.parameters())
    first = torch.autograd.grad(loss, wanted, retain_graph=True)
    return first, torch.autograd.grad(loss, map(lambda p: p, model.parameters()))


@idiom
def grad_of_generators_of_outputs():
    x = torch.randn(4, requires_grad=True)
    outputs = (x[i] ** 2 for i in range(4))
    return torch.autograd.grad(outputs, (x,), (torch.tensor(2.0) for _ in range(4)))


@idiom
def grad_of_an_empty_generator():
    return torch.autograd.grad(torch.ones((), requires_grad=True) * 2, (p for p in ()))


@idiom
def grad_of_a_generator_that_raises():
    def parameters():
        yield torch.ones(2, requires_grad=True)
        raise RuntimeError("out of parameters")

    return torch.autograd.grad(torch.ones((), requires_grad=True) * 2, parameters())


@idiom
def grad_twice():
    x = torch.randn(5, requires_grad=True)
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    return torch.autograd.grad(first.sum(), [x])


@idiom
def grad_unused_and_materialized():
    a, b = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    kept = torch.autograd.grad((a * 2).sum(), [a, b], allow_unused=True)
    return kept, torch.autograd.grad(
        (a * 2).sum(), {"a": a, "b": b}.values(), materialize_grads=True
    )


@idiom
def grad_of_an_unused_input_raises():
    a, b = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    return torch.autograd.grad(a.sum(), b)


@idiom
def grad_batched():
    x = torch.randn(3, requires_grad=True)
    return torch.autograd.grad(x**2, x, torch.eye(3), is_grads_batched=True)


@idiom
def gradient_penalty():
    critic = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.randn(10, 6, requires_grad=True)
    (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    ((g.norm(dim=1) - 1) ** 2).mean().backward()
    return [p.grad for p in critic.parameters()]


@idiom
def backward_with_inputs_generator():
    model = net()
    x, y = data()
    F.cross_entropy(model(x), y).backward(inputs=(p for p in model[2].parameters()))
    return [p.grad for p in model.parameters()]


@idiom
def backward_of_several_tensors():
    x = torch.randn(3, requires_grad=True)
    torch.autograd.backward(iter([x.sum(), (x**2).sum()]), iter([None, torch.tensor(2.0)]))
    return x.grad


@idiom
def backward_twice_raises():
    x = torch.randn(3, requires_grad=True)
    loss = (x**2).sum()
    loss.backward()
    loss.backward()


@idiom
def backward_from_gradient_edges():
    from torch.autograd.graph import get_gradient_edge

    x = torch.randn(3, requires_grad=True)
    y = x.exp()
    edge = get_gradient_edge(y)
    torch.autograd.backward(y.sum(), inputs=[x])
    return x.grad, torch.autograd.grad(y.sin().sum() if False else x.exp().sum(), x), edge.output_nr


@idiom
def functional_jacobians():
    f = torch.autograd.functional
    x = torch.randn(3)
    square = lambda t: t**2  # noqa: E731
    total = lambda t: (t**3).sum()  # noqa: E731
    return (
        f.jacobian(square, x),
        f.hessian(total, x),
        f.vjp(square, x, torch.ones(3)),
        f.jvp(square, x, torch.ones(3)),
        f.hvp(total, x, torch.ones(3)),
    )


@idiom
def functorch_transforms():
    from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

    total = lambda t: (t**3).sum()  # noqa: E731
    x = torch.randn(4, 3)
    value, pull = vjp(total, x[0])
    return (
        vmap(grad(total))(x),
        jacrev(torch.sin)(x[0]),
        jacfwd(torch.sin)(x[0]),
        hessian(total)(x[0]),
        jvp(total, (x[0],), (torch.ones(3),)),
        value,
        pull(torch.tensor(1.0)),
    )


@idiom
def functorch_per_sample_gradients():
    from torch.func import functional_call, grad_and_value, vmap

    model = net()
    weights = {k: v.detach() for k, v in model.named_parameters()}
    x, y = data()

    def loss(weights, a, b):
        out = functional_call(model, weights, (a[None],))
        return F.cross_entropy(out, b[None])

    return vmap(grad_and_value(loss), in_dims=(None, 0, 0))(weights, x, y)


@idiom
def functorch_ensembles():
    from torch.func import functional_call, stack_module_state, vmap

    models = [net() for _ in range(3)]
    weights, buffers = stack_module_state(models)
    base = copy.deepcopy(models[0]).to("meta")
    call = lambda p, b, x: functional_call(base, (p, b), (x,))  # noqa: E731
    x, _ = data()
    return vmap(call, in_dims=(0, 0, None))(weights, buffers, x)


@idiom
def functorch_linearize_and_vmap_of_argmax():
    from torch.func import linearize, vmap

    out, push = linearize(torch.sin, torch.ones(3))
    x, y = data()
    picked = vmap(lambda a, b: (a.argmax() == b).float() - (a.max() - a.sub(b)).sum())(x, y)
    return out, push(torch.ones(3)), picked


@idiom
def forward_mode():
    from torch.autograd import forward_ad as fwad

    model = net()
    x = torch.randn(2, 6)
    with fwad.dual_level():
        dual = fwad.make_dual(x, torch.ones_like(x))
        return fwad.unpack_dual(model(dual))


@idiom
def own_autograd_function():
    class Clamp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, least):
            ctx.save_for_backward(x)
            ctx.least = least
            return x.clamp(min=least), x * 2

        @staticmethod
        def backward(ctx, one, two):
            (x,) = ctx.saved_tensors
            return one * (x > ctx.least) + two * 2, None

    x = torch.randn(6, requires_grad=True)
    a, b = Clamp.apply(x, 0.1)
    (a.sum() + b.mean()).backward()
    return (
        a,
        b,
        x.grad,
        torch.autograd.gradcheck(torch.sin, torch.randn(3, dtype=torch.double, requires_grad=True)),
    )


@idiom
def own_autograd_function_as_a_module_output():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return torch.autograd.grad(_inner(g), _inner.leaf)[0] * 2

    leaf = torch.ones(3)

    def _inner(g):
        with torch.enable_grad():
            _inner.leaf = leaf.clone().requires_grad_()
            return (_inner.leaf * g.detach()).sum()

    class Layer(nn.Module):
        def forward(self, x):
            return Twice.apply(x)

    x = torch.randn(3, requires_grad=True)
    Layer()(x).sum().backward()
    return x.grad


@idiom
def once_differentiable_and_mark_dirty():
    from torch.autograd.function import once_differentiable

    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return g * 3

    x = torch.randn(3, requires_grad=True)
    Add.apply(x * 1).sum().backward()
    return x.grad


@idiom
def tensor_and_node_hooks():
    x = torch.randn(3, requires_grad=True)
    seen = []
    y = x * 2
    handle = y.register_hook(lambda g: g * 10)
    y.grad_fn.register_hook(lambda a, b: seen.append(len(a)))
    y.grad_fn.register_prehook(lambda g: seen.append(len(g)))
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.sum().item()))
    y.retain_grad()
    y.sum().backward()
    handle.remove()
    return x.grad, y.grad, seen


@idiom
def hooks_on_an_output_of_a_model():
    model = net()
    x, y = data()
    out = model(x)
    names = [out._backward_hooks, type(out).__name__, out.is_leaf, out.grad_fn.name()]
    out.register_hook(lambda g: g * 2)
    F.cross_entropy(out, y).backward()
    return names, [p.grad for p in model.parameters()]


@idiom
def multi_grad_hooks_and_saved_tensors():
    from torch.autograd import graph

    x, seen = torch.randn(3, requires_grad=True), []
    w = torch.randn(3, requires_grad=True)
    graph.register_multi_grad_hook([x, w], lambda gs: seen.append(len(gs)))
    with graph.saved_tensors_hooks(lambda t: seen.append(t.numel()) or t, lambda t: t):
        loss = (x * w).sin().sum()
    with graph.save_on_cpu():
        loss = loss + (x.exp()).sum()
    loss.backward()
    return x.grad, w.grad, seen


@idiom
def module_hooks():
    model, seen = net(), []
    model.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
    model.register_forward_hook(lambda m, a, out: out + 1)
    model.register_forward_hook(lambda m, a, k, out: seen.append(sorted(k)), with_kwargs=True)
    model[0].register_full_backward_hook(lambda m, gi, go: seen.append(len(go)))
    model[0].register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
    model.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append(prefix))
    model.register_load_state_dict_post_hook(lambda m, keys: seen.append(str(keys)))
    x, y = data()
    out = model(x)
    F.cross_entropy(out, y).backward()
    model.load_state_dict(model.state_dict())
    return out, [p.grad for p in model.parameters()], seen


@idiom
def global_module_hooks():
    from torch.nn.modules import module

    seen = []
    handles = [
        module.register_module_forward_pre_hook(lambda m, a: seen.append(type(m).__name__)),
        module.register_module_forward_hook(lambda m, a, out: seen.append(tuple(out.shape))),
        module.register_module_full_backward_hook(lambda m, gi, go: seen.append(len(gi))),
    ]
    try:
        x, y = data()
        F.cross_entropy(net()(x), y).backward()
    finally:
        for handle in handles:
            handle.remove()
    return seen


@idiom
def global_optimizer_hooks():
    from torch.optim import optimizer as o

    seen = []
    before = o.register_optimizer_step_pre_hook(lambda opt, a, k: seen.append(type(opt).__name__))
    after = o.register_optimizer_step_post_hook(lambda opt, a, k: seen.append(len(a)))
    try:
        losses, _ = trained(net(), 2)
    finally:
        before.remove()
        after.remove()
    return losses, seen


@idiom
def a_hook_that_raises():
    model = net()
    model[1].register_forward_hook(lambda m, a, out: 1 / 0)
    return model(torch.randn(2, 6))


@idiom
def a_forward_that_raises_and_is_called_again():
    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 3)

        def forward(self, x):
            if x.shape[1] != 6:
                raise ValueError("six features")
            return self.fc(x)

    model = Picky()
    with contextlib.suppress(ValueError):
        model(torch.randn(2, 5))
    return trained(model)


@idiom
def checkpointing():
    from torch.utils.checkpoint import checkpoint, checkpoint_sequential

    block = nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5), nn.Tanh())
    x = torch.randn(4, 6, requires_grad=True)
    grads = []
    for reentrant in (True, False):
        torch.manual_seed(1)
        checkpoint(block, x, use_reentrant=reentrant).sum().backward()
        grads.append(x.grad.clone())
        x.grad = None
    checkpoint_sequential(block, 2, x, use_reentrant=False).sum().backward()
    return grads, x.grad, [p.grad for p in block.parameters()]


@idiom
def inplace_operations_on_outputs():
    model = net()
    x, y = data()
    out = model(x)
    out += 1
    out[0] = 0
    F.cross_entropy(out, y).backward()
    other = model(x)
    other.detach_()
    return [p.grad for p in model.parameters()], other.requires_grad


@idiom
def inplace_error():
    x = torch.randn(3, requires_grad=True)
    y = x.sigmoid()
    y += 1
    y.sum().backward()


@idiom
def anomaly_mode():
    with torch.autograd.set_detect_anomaly(True):
        x = torch.zeros(2, requires_grad=True)
        return (x.sqrt() * 0).sum().backward()


@idiom
def grad_modes():
    model = net()
    x, _ = data()
    with torch.no_grad():
        a = model(x)
    with torch.inference_mode():
        b = model(x)
        inner = nn.Linear(3, 3)(b)
    with torch.set_grad_enabled(False), torch.enable_grad():
        c = model(x)

    @torch.inference_mode()
    def score():
        return (model(x).argmax(1) == 0).float().mean()

    return a, b, inner, c.requires_grad, b.is_inference(), score()


@idiom
def an_optimizer_of_weights_made_in_inference_mode():
    with torch.inference_mode():
        weight = nn.Parameter(torch.ones(3), requires_grad=False)
        other = weight * 2
    return weight, other, weight.is_inference()


@idiom
def lifetimes():
    """A tensor that a function lets go of is gone."""

    def one():
        model = net()
        x, y = data()
        out = model(x)
        loss = F.cross_entropy(out, y)
        loss.backward()
        refs = [weakref.ref(out), weakref.ref(loss)]
        del out
        gone = refs[0]() is None
        model(x)
        del loss
        return gone, [r() is None for r in refs]

    return one()


@idiom
def names_of_a_function():
    """What `locals()` gave stays what it was."""

    def one(width=3):
        given = locals()
        model = net()
        out = model(torch.randn(2, 6))
        F.cross_entropy(out, torch.tensor([0, 1])).backward()
        del out
        return sorted(given), sorted(vars()), model

    return one()


# --- losses and functions ------------------------------------------------------------------------


@idiom
def losses_of_every_spelling():
    x, y = data()
    x, other = x[:, :3].clone().requires_grad_(), torch.rand(24, 3)
    unit = x.sigmoid()
    found = [
        F.cross_entropy(x, y),
        F.cross_entropy(input=x, target=y, label_smoothing=0.1, reduction="sum"),
        F.nll_loss(x.log_softmax(1), y, None, False),
        F.nll_loss(x.log_softmax(1), y, size_average=False, reduce=True),
        F.nll_loss(x.log_softmax(1), y, reduce=False),
        F.mse_loss(x, other, reduction="none"),
        F.l1_loss(x, other, None, None, "sum"),
        F.smooth_l1_loss(x, other, beta=0.5),
        F.huber_loss(x, other, "mean", 0.5),
        F.binary_cross_entropy(unit, other),
        F.binary_cross_entropy_with_logits(x, other, pos_weight=torch.ones(3) * 2),
        F.kl_div(x.log_softmax(1), other.softmax(1), reduction="batchmean"),
        F.kl_div(x.log_softmax(1), other.log_softmax(1), reduction="sum", log_target=True),
        F.poisson_nll_loss(x, other),
        F.gaussian_nll_loss(x, other, unit + 0.1),
        F.hinge_embedding_loss(x, other.round() * 2 - 1),
        F.margin_ranking_loss(x, other, torch.ones(24, 3)),
        F.triplet_margin_loss(anchor=x, positive=other, negative=other + 1),
        F.cosine_embedding_loss(x, other, torch.ones(24)),
        F.multi_margin_loss(x, y),
        F.multilabel_margin_loss(x, torch.tensor([[0, -1, 1]] * 24)),
        F.multilabel_soft_margin_loss(x, other.round()),
        F.soft_margin_loss(x, other.round() * 2 - 1),
        F.ctc_loss(
            torch.randn(10, 2, 5).log_softmax(2),
            torch.randint(1, 5, (2, 3)),
            torch.tensor([10, 10]),
            torch.tensor([3, 2]),
        ),
    ]
    sum(v.sum() for v in found).backward()
    return found, x.grad


@idiom
def losses_that_raise():
    found = []
    x = torch.randn(4, 3)
    for call in (
        lambda: F.cross_entropy(x, torch.tensor([0, 1, 2, 9])),
        lambda: F.cross_entropy(x, torch.zeros(5, dtype=torch.long)),
        lambda: F.nll_loss(x, "labels"),
        lambda: F.mse_loss(x),
        lambda: F.binary_cross_entropy(x, x),
        lambda: F.cross_entropy(x, x, reduction="median"),
    ):
        try:
            call()
        except Exception as e:
            found.append([type(e).__name__, str(e)])
    return found


@idiom
def loss_modules():
    x, y = data()
    x = x[:, :3].clone().requires_grad_()
    found = [
        nn.CrossEntropyLoss(weight=torch.ones(3), ignore_index=1)(x, y),
        nn.NLLLoss(reduction="sum")(x.log_softmax(1), y),
        nn.KLDivLoss(reduction="batchmean")(x.log_softmax(1), torch.rand(24, 3).softmax(1)),
        nn.TripletMarginWithDistanceLoss()(x, x + 1, x - 1),
        nn.AdaptiveLogSoftmaxWithLoss(3, 10, [4])(x, torch.randint(0, 10, (24,))).loss,
    ]
    sum(found).backward()
    return found, x.grad


@idiom
def weights_of_losses():
    x, y = data()
    model = net()
    loss = 0.3 * F.cross_entropy(model(x), y) - 2 * F.mse_loss(model(x), torch.zeros(24, 3))
    loss.backward()
    return loss, [p.grad for p in model.parameters()]


@idiom
def argmax_and_comparisons_of_every_spelling():
    x, y = data()
    return (
        x.argmax(1),
        torch.argmax(x, dim=1, keepdim=True),
        torch.argmax(input=x),
        x.max(1),
        torch.max(x, 1).indices,
        torch.max(x),
        torch.max(x, x + 1),
        torch.max(input=x, dim=0),
        x.topk(2),
        torch.topk(x, k=1, dim=1),
        y == y.flip(0),
        y == 1,
        torch.eq(y, y),
        y.eq(2),
        y != 1,
        x - x.mean(),
        1 - x,
        torch.sub(x, 1, alpha=2),
        torch.subtract(x, x),
        [y == None, y.__eq__("a"), y.__eq__(None)],  # noqa: E711
    )


@idiom
def comparisons_that_raise():
    found = []
    for call in (
        lambda: torch.ones(3) == torch.ones(4),
        lambda: torch.ones(3) - torch.ones(4),
        lambda: torch.argmax(torch.ones(0)),
        lambda: torch.topk(torch.ones(2), 5),
        lambda: torch.ones(3) - "a",
        lambda: torch.eq(torch.ones(3)),
    ):
        try:
            call()
        except Exception as e:
            found.append([type(e).__name__, str(e)])
    return found


@idiom
def out_arguments():
    x = torch.randn(4, 3)
    kept = torch.empty(4, dtype=torch.bool)
    values, places = torch.empty(4), torch.empty(4, dtype=torch.long)
    torch.eq(x[:, 0], x[:, 0], out=kept)
    torch.max(x, 1, out=(values, places))
    less = torch.empty(4, 3)
    torch.sub(x, 1, out=less)
    return kept, values, places, less


@idiom
def membership_and_dictionaries():
    a, b = torch.tensor(1), torch.tensor(2)
    return b in [a, b], [a, b].index(b), {a: 1, b: 2}[a], a in {a, b}, hash(a) == hash(a)


@idiom
def functions_are_what_they_were():
    """Signatures, names, documents and pickles of functions that are often looked at."""
    found = {}
    for owner, name in (
        (F, "cross_entropy"),
        (F, "mse_loss"),
        (F, "dropout"),
        (F, "batch_norm"),
        (torch, "argmax"),
        (torch, "max"),
        (torch, "eq"),
        (torch, "sub"),
        (torch, "topk"),
        (torch, "save"),
        (torch, "load"),
        (torch, "manual_seed"),
        (torch, "randperm"),
        (torch.autograd, "grad"),
        (torch.autograd, "backward"),
        (torch.Tensor, "argmax"),
        (torch.Tensor, "__eq__"),
        (torch.Tensor, "backward"),
        (nn.Module, "train"),
        (nn.Module, "eval"),
        (nn.Module, "zero_grad"),
        (nn.Module, "state_dict"),
        (nn.Module, "load_state_dict"),
        (nn.utils, "clip_grad_norm_"),
        (torch.optim.Optimizer, "zero_grad"),
        (torch.optim.Optimizer, "add_param_group"),
        (torch.optim.lr_scheduler, "StepLR"),
        (torch.optim.lr_scheduler.StepLR, "__init__"),
        (torch.optim.lr_scheduler.LRScheduler, "step"),
        (torch.amp.GradScaler, "step"),
        (DataLoader, "__iter__"),
        (threading.Thread, "start"),
        (random, "seed"),
        (np.random, "seed"),
        (pickle, "dump"),
    ):
        function = getattr(owner, name)
        try:
            signature = str(inspect.signature(function))
        except ValueError as e:
            signature = type(e).__name__
        try:
            again = pickle.loads(pickle.dumps(function)) == function
        except Exception as e:
            again = type(e).__name__
        if owner is random or name == "manual_seed":  # cannot be had back in a plain run
            again = None
        found[f"{owner.__name__}.{name}"] = [
            signature,
            function.__name__,
            (function.__doc__ or "")[:80],
            callable(function),
            again,
            again is None or copy.deepcopy(function) == function,
        ]
    return found


@idiom
def functions_kept_in_objects():
    @dataclasses.dataclass
    class Settings:
        loss: object = F.cross_entropy
        pick: object = torch.argmax

    class Model(nn.Module):
        def __init__(self, loss=F.mse_loss):
            super().__init__()
            self.fc, self.loss = nn.Linear(6, 3), loss

        def forward(self, x, y):
            return self.loss(self.fc(x), y)

    settings = copy.deepcopy(Settings())
    x, y = data()
    model = copy.deepcopy(Model())
    stream = io.BytesIO()
    torch.save({"pick": torch.argmax, "loss": F.cross_entropy}, stream)
    stream.seek(0)
    kept = torch.load(stream, weights_only=False)
    part = functools.partial(F.cross_entropy, reduction="sum")
    return (
        settings.loss(x[:, :3], y),
        settings.pick(x, 1),
        model(x, torch.zeros(24, 3)),
        kept["pick"](x),
        kept["loss"](x, y),
        part(x, y),
        cross_entropy(x, y),
        dropout(x, 0.5, False),
    )


@idiom
def functional_dropout_and_batch_norm():
    x = torch.randn(8, 4)
    mean, var = torch.zeros(4), torch.ones(4)
    return (
        F.dropout(x, 0.3, True),
        F.dropout1d(torch.randn(2, 3, 4)),
        F.alpha_dropout(x, training=True),
        F.feature_alpha_dropout(torch.randn(2, 3, 4), training=True),
        F.batch_norm(x, mean, var, training=True),
        F.batch_norm(x, None, None, None, None, True),
        mean,
        F.scaled_dot_product_attention(*(torch.randn(1, 2, 3, 4) for _ in range(3)), dropout_p=0.5),
    )


# --- subclasses and modes -----------------------------------------------------------------------


@idiom
def a_subclass_with_metadata():
    class Named(torch.Tensor):
        calls = []

        @staticmethod
        def __new__(cls, values, name):
            made = torch.as_tensor(values).as_subclass(cls)
            made.label = name
            return made

        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            cls.calls.append(function.__name__)
            return super().__torch_function__(function, types, args, kwargs or {})

    x, y = data()
    model = net()
    out = model(Named(x, "images"))
    loss = F.cross_entropy(out, y)
    loss.backward()
    right = (out.argmax(1) == y).sum()
    picked, best, less = torch.max(out, 1), torch.eq(out.argmax(1), y), out - 1
    return Named.calls, type(out).__name__, loss, right, picked.values, best, less


@idiom
def overridden_functions_by_a_table():
    """PyTorch's own recipe for a type that behaves like a tensor."""
    handled = {}

    def implements(function):
        def put(mine):
            handled[function] = mine
            return mine

        return put

    class Scalar:
        def __init__(self, n, value):
            self.n, self.value = n, value

        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if function not in handled:
                return NotImplemented
            return handled[function](*args, **(kwargs or {}))

    @implements(torch.mean)
    def mean(x):
        return x.value / x.n

    @implements(torch.argmax)
    def argmax(x, dim=None):
        return ["argmax", x.n, dim]

    @implements(torch.eq)
    def eq(a, b):
        return ["eq", a.n]

    @implements(torch.max)
    def most(a):
        return ["max", a.value]

    @implements(F.mse_loss)
    def mse(a, b, **kwargs):
        return ["mse", a.n, sorted(kwargs)]

    @implements(F.dropout)
    def drop(a, **kwargs):
        return ["dropout", a.n, sorted(kwargs)]

    s = Scalar(5, 2)
    found = [torch.mean(s), torch.argmax(s), torch.argmax(s, dim=1), torch.eq(s, 1), torch.max(s)]
    found += [F.mse_loss(s, s), F.dropout(s)]
    try:
        torch.sub(s, 1)
    except TypeError as e:
        found.append(type(e).__name__)
    return found


@idiom
def a_subclass_with_a_dispatcher():
    class Logged(torch.Tensor):
        @staticmethod
        def __new__(cls, inner):
            return torch.Tensor._make_wrapper_subclass(
                cls, inner.size(), dtype=inner.dtype, requires_grad=inner.requires_grad
            )

        def __init__(self, inner):
            self.inner = inner

        @classmethod
        def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
            log.append(str(function))
            open_ = lambda t: t.inner if isinstance(t, Logged) else t  # noqa: E731
            tree = torch.utils._pytree.tree_map
            out = function(*tree(open_, args), **tree(open_, kwargs or {}))
            return tree(lambda t: Logged(t) if isinstance(t, torch.Tensor) else t, out)

    log = []
    x = Logged(torch.randn(4, 6))
    out = nn.Linear(6, 3)(x)
    best = out.argmax(1) == out.argmax(1)
    return log, type(out).__name__, out.inner, best.inner


@idiom
def function_modes():
    from torch.overrides import TorchFunctionMode

    class Log(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            calls.append(torch.overrides.resolve_name(function) or function.__name__)
            return function(*args, **(kwargs or {}))

    calls = []
    x, y = data()
    model = net()
    with Log():
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        right = (model(x).argmax(1) == y).sum()
        torch.argmax(x, 1), torch.max(x), torch.eq(x, x), x - 1
    return [c for c in calls if c], loss, right


@idiom
def dispatch_modes():
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

    class Log(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            calls.append(str(function))
            return function(*args, **(kwargs or {}))

    calls = []
    with Log():
        losses, _ = trained(net(), 2)
    with FlopCounterMode(display=False) as counter:
        trained(net(), 2)
    return calls, losses, counter.get_total_flops()


@idiom
def a_default_device():
    try:
        torch.set_default_device("cpu")
        losses, model = trained(net())
        x, y = data()
        with torch.device("meta"):
            empty = nn.Linear(3, 4)
        right = (model(x).argmax(1) == y).sum()
    finally:
        torch.set_default_device(None)
    return losses, right, str(empty.weight.device)


@idiom
def a_default_dtype():
    try:
        torch.set_default_dtype(torch.float64)
        return trained(net())
    finally:
        torch.set_default_dtype(torch.float32)


@idiom
def fake_and_meta_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        model = net()
        out = model(torch.randn(5, 6))
        loss = F.cross_entropy(out, torch.zeros(5, dtype=torch.long))
        loss.backward()
        shapes = [list(out.shape), list(model[0].weight.grad.shape)]
    with torch.device("meta"):
        model = net()
        out = model(torch.randn(5, 6))
        F.mse_loss(out, torch.zeros(5, 3)).backward()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        optimizer.step()
    filled = model.to_empty(device="cpu")
    return shapes, list(out.shape), str(filled[0].weight.device)


@idiom
def profilers():
    from torch.autograd.profiler import record_function
    from torch.profiler import ProfilerActivity, profile, schedule

    def counts(prof):
        names = {e.key: e.count for e in prof.key_averages()}
        return {k: v for k, v in sorted(names.items()) if k.startswith("aten") or k == "mine"}

    with profile(activities=[ProfilerActivity.CPU]) as prof, record_function("mine"):
        losses, _ = trained(net(), 2)
    with torch.autograd.profiler.profile() as old:
        x, y = data()
        right = (net()(x).argmax(1) == y).sum()
    plan = schedule(wait=1, warmup=1, active=1)
    with profile(activities=[ProfilerActivity.CPU], schedule=plan) as parts:
        for _ in range(3):
            trained(net(), 1)
            parts.step()
    return counts(prof), losses, counts(old), right, counts(parts)


# --- compilers ----------------------------------------------------------------------------------


@torch.jit.script
def scripted_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if x.size(1) > 2:
        return F.cross_entropy(F.dropout(x, 0.5, False), y)
    return torch.max(x) - torch.argmax(x, 1).float().sum()


@idiom
def scripted_functions():
    x, y = data()
    x = x.clone().requires_grad_()
    loss = scripted_loss(x, y)
    loss.backward()
    again = torch.jit.script(cross_entropy)
    return (
        loss,
        x.grad,
        type(scripted_loss).__name__,
        again(x, y),
        "cross_entropy" in scripted_loss.code,
    )


@idiom
def scripted_modules():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.bn, self.drop = nn.Linear(6, 3), nn.BatchNorm1d(3), nn.Dropout(0.2)

        def forward(self, x, flip: bool = False):
            out = self.drop(self.bn(self.fc(x)))
            best = torch.eq(out.argmax(1), torch.argmax(out, dim=1))
            return -out if flip and bool(best.any()) else out

    model = torch.jit.script(Gate())
    losses, model = trained(model)
    stream = io.BytesIO()
    torch.jit.save(model, stream)
    stream.seek(0)
    again = torch.jit.load(stream).eval()
    x, _ = data()
    frozen = torch.jit.freeze(again)
    return losses, isinstance(model, torch.jit.ScriptModule), again(x), frozen(x), len(model.code)


@idiom
def traced_modules():
    model = net().eval()
    x, _ = data()
    traced = torch.jit.trace(model, x)
    function = torch.jit.trace(lambda a: F.softmax(a, 1).argmax(1) == a.max(1).indices, x)
    checked = torch.jit.trace_module(model, {"forward": x})
    steps = [node.kind() for node in function.inlined_graph.nodes()]
    return len(list(traced.inlined_graph.nodes())), steps, traced(x), function(x), checked(x)


@idiom
def scripting_by_decorators():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 3)

        @torch.jit.export
        def best(self, x):
            return self.fc(x).argmax(1)

        @torch.jit.ignore
        def own(self, x):
            return x + 1

        @torch.jit.unused
        def never(self, x):
            return x

        def forward(self, x):
            return self.fc(x)

    model = torch.jit.script(Model())
    x, _ = data()
    return model.best(x), model(x)


@idiom
def imports_that_script():
    import torch.ao.nn.quantized
    import torch.distributed.optim
    import torch.distributions.kl
    import torch.distributions.transforms
    import torch.nn.quantized  # noqa: F401

    return True


@idiom
def compiled():
    model = torch.compile(net())
    losses, model = trained(model)

    @torch.compile
    def square(x):
        return x * x

    compiled = net()
    compiled.compile()
    x, _ = data()
    inner = list(model.state_dict())[:1]
    return losses, square(torch.arange(3.0)), compiled(x), inner, type(model).__name__


@idiom
def exported():
    model = net().eval()
    x, _ = data()
    program = torch.export.export(model, (x,))
    targets = [str(n.target) for n in program.graph.nodes]
    return targets, program.module()(x)


@idiom
def symbolically_traced():
    from torch import fx

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 3)

        def forward(self, x):
            return F.dropout(torch.relu(self.fc(x)), 0.2, self.training).argmax(1)

    graph = fx.symbolic_trace(Model().eval())
    x, _ = data()
    return graph.code, graph(x), [str(n.op) for n in graph.graph.nodes]


@idiom
def proxies_of_make_fx():
    from torch.fx.experimental.proxy_tensor import make_fx

    model = net()
    x, y = data()
    graph = make_fx(lambda a: F.cross_entropy(model(a), y) - (a.argmax(1) == y).float().mean())(x)
    return [str(n.target) for n in graph.graph.nodes], graph(x)


# --- modules ------------------------------------------------------------------------------------


@idiom
def modules_with_methods_of_their_own():
    class Layer(nn.Linear):
        def __init__(self, a, b):
            super().__init__(a, b)
            self.opt = torch.optim.Adam(self.parameters(), 0.03)

        def train(self, good, bad):
            for _ in range(3):
                loss = F.softplus(torch.cat([2 - self(good).pow(2).mean(1), self(bad).mean(1)]))
                self.opt.zero_grad()
                loss.mean().backward()
                self.opt.step()
            return self(good).detach()

        def eval(self, x, y):
            return (self(x).argmax(1) == y).float().mean()

    x, y = data()
    layer = Layer(6, 3)
    return layer.train(x, -x), layer.eval(x, y), layer.training


@idiom
def modules_with_odd_parameters():
    class Odd(nn.Module):
        calls = []

        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 3)

        def parameters(self, which="bias"):
            self.calls.append(which)
            return [getattr(self.fc, which)]

        def modules(self):
            self.calls.append("modules")
            return ["none"]

        def named_parameters(self, *args, **kwargs):
            self.calls.append("named")
            return super().named_parameters(*args, **kwargs)

        def forward(self, x, scale=1.0):
            return self.fc(x) * scale

        def zero_grad(self, set_to_none=True, loud=False):
            self.calls.append("zero")
            super().zero_grad(set_to_none)

        def state_dict(self):
            return {"weight": self.fc.weight}

        def load_state_dict(self, state):
            self.fc.weight.data.copy_(state["weight"])

    model = Odd()
    x, y = data()
    optimizer = torch.optim.SGD(model.parameters("weight"), 0.1)
    for _ in range(2):
        model.zero_grad()
        F.cross_entropy(model(x, scale=2.0), y).backward()
        optimizer.step()
    model.load_state_dict(model.state_dict())
    return Odd.calls, model.fc.weight


@idiom
def modes_and_subclasses_of_train():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn, self.log = nn.BatchNorm1d(6), []

        def train(self, mode=True):
            self.log.append(mode)
            super().train(mode)
            self.bn.eval()
            return self

        def forward(self, x):
            return self.bn(x)

    model = Frozen()
    found = [model.train() is model, model.training, model.bn.training, model.eval() is model]
    with torch.no_grad():
        model(torch.randn(4, 6))
    return found, model.log, nn.Sequential(model).train().training, model.log


@idiom
def outputs_of_every_kind():
    Pair = collections.namedtuple("Pair", "a b")

    class Many(nn.Module):
        def __init__(self, kind):
            super().__init__()
            self.fc, self.kind = nn.Linear(6, 3), kind

        def forward(self, x=None, *rest, named=None):
            h = self.fc(x if x is not None else named)
            return {
                "tuple": (h, h + 1),
                "list": [h],
                "dict": {"logits": h, "loss": h.sum()},
                "pair": Pair(h, None),
                "none": None,
                "number": 3.0,
                "text": "out",
                "weight": self.fc.weight,
                "generator": (h for _ in range(2)),
                "nested": [{"a": (h,)}],
            }[self.kind]

    found = []
    for kind in ("tuple", "list", "dict", "pair", "none", "number", "text", "weight", "nested"):
        model = Many(kind)
        out = model(named=torch.randn(2, 6))
        found.append([type(out).__name__, out])
    found.append(list(Many("generator")(torch.randn(2, 6))))
    return found


@idiom
def parametrizations_and_norms():
    from torch.nn.utils import parametrizations, parametrize, prune

    class Symmetric(nn.Module):
        def forward(self, w):
            return w.triu() + w.triu(1).mT

    layer = nn.Linear(4, 4)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    normed = parametrizations.weight_norm(nn.Linear(6, 3))
    spectral = parametrizations.spectral_norm(nn.Linear(6, 3))
    orthogonal = parametrizations.orthogonal(nn.Linear(3, 3))
    pruned = nn.Linear(6, 3)
    prune.l1_unstructured(pruned, "weight", 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nn.utils.weight_norm(nn.Linear(6, 3))
    results = [trained(m) for m in (normed, spectral, pruned, old)]
    layer(torch.randn(2, 4)).sum().backward()
    with parametrize.cached():
        layer(torch.randn(2, 4))
    return results, layer.parametrizations.weight.original.grad, orthogonal.weight


@idiom
def lazy_modules():
    model = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))
    before = type(model[0]).__name__
    x, _ = data()
    model(x)
    return before, type(model[0]).__name__, trained(model)


@idiom
def containers_and_shared_weights():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(10, 4)
            self.out = nn.Linear(4, 10, bias=False)
            self.out.weight = self.embed.weight
            self.more = nn.ModuleDict({"a": nn.Identity(), "b": nn.ModuleList([nn.ReLU()])})
            self.kept = nn.ParameterList([nn.Parameter(torch.ones(4))])
            self.named = nn.ParameterDict({"w": nn.Parameter(torch.ones(4))})
            self.register_buffer("count", torch.zeros(()), persistent=False)
            self.register_parameter("none", None)

        def forward(self, x):
            self.count += 1
            return self.out(self.embed(x) * self.kept[0] * self.named["w"]).mean(1)

    model = Tied()
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(torch.randint(0, 10, (6, 4))), torch.randint(0, 10, (6,))).backward()
        optimizer.step()
    return model, model.count, len(list(model.parameters()))


@idiom
def sparse_embeddings_and_gradients():
    model = nn.Sequential(nn.EmbeddingBag(20, 4, sparse=True), nn.Linear(4, 3))
    sparse = torch.optim.SparseAdam(model[0].parameters(), 0.1)
    dense = torch.optim.Adam(model[1].parameters(), 0.1)
    for _ in range(3):
        sparse.zero_grad()
        dense.zero_grad()
        F.cross_entropy(model(torch.randint(0, 20, (5, 3))), torch.randint(0, 3, (5,))).backward()
        sparse.step()
        dense.step()
    return model


@idiom
def sparse_inputs():
    x = (torch.rand(20, 6) > 0.6).float().to_sparse()
    adjacency = (torch.rand(20, 20) > 0.8).float().to_sparse()
    rows = x.to_dense().to_sparse_csr()

    class Conv(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(6, 3))

        def forward(self, a, b):
            return torch.sparse.mm(b, torch.sparse.mm(a, self.w))

    model = Conv()
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    y = torch.randint(0, 3, (20,))
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(x, adjacency), y).backward()
        optimizer.step()
    with torch.no_grad():
        out = model(rows, adjacency)
    return model, (out.argmax(1) == y).sum(), (x - x).to_dense(), nn.Identity()(x)


@idiom
def a_sparse_leaf():
    w = torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 2)).requires_grad_()
    torch.sparse.sum(w * w).backward()
    return w.grad


@idiom
def nested_tensors():
    parts = [torch.randn(2, 6), torch.randn(3, 6)]
    jagged = torch.nested.nested_tensor(parts, layout=torch.jagged, requires_grad=True)
    out = nn.Linear(6, 3)(jagged)
    out.values().sum().backward()
    old = torch.nested.as_nested_tensor(parts)
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True).eval()
    with torch.no_grad():
        padded = torch.nested.to_padded_tensor(nn.Linear(6, 3)(old), 0.0)
        encoded = layer(torch.randn(2, 3, 6), src_key_padding_mask=torch.zeros(2, 3).bool())
    return out.unbind(), jagged.grad.unbind(), padded, encoded


@idiom
def complex_numbers():
    model = nn.Linear(4, 2, dtype=torch.cfloat)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        out = model(torch.randn(5, 4, dtype=torch.cfloat))
        loss = F.mse_loss(torch.view_as_real(out), torch.zeros(5, 2, 2))
        loss.backward()
        optimizer.step()
    z = torch.randn(3, dtype=torch.cfloat, requires_grad=True)
    (z * z.conj()).real.sum().backward()
    return model.weight, z.grad, z == z, nn.Identity()(z.conj())


@idiom
def quantized_tensors():
    q = torch.quantize_per_tensor(torch.randn(4, 6), 0.1, 0, torch.qint8)
    return nn.Identity()(q).dequantize(), q.int_repr(), (q.dequantize() - 1)


@idiom
def low_precision():
    model = net().bfloat16()
    x, y = data()
    loss = F.cross_entropy(model(x.bfloat16()).float(), y)
    loss.backward()
    half = nn.Linear(6, 3).half()
    return loss, [p.grad for p in model.parameters()], half(x.half())


@idiom
def autocast_and_scalers():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    x, y = data()
    found = []
    for k in range(5):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        scaler.scale(loss * (float("inf") if k == 2 else 1.0)).backward()
        scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_((p for p in model.parameters()), 0.5)
        scaler.step(optimizer)
        scaler.update()
        found.append([loss, norm, scaler.get_scale()])
    off = torch.amp.GradScaler("cpu", enabled=False)
    kept = off.scale(loss) is loss
    return found, model, scaler.state_dict(), kept


@idiom
def clipping_of_every_spelling():
    def graded():
        model = net()
        x, y = data()
        (F.cross_entropy(model(x), y) * 10).backward()
        return model

    model = graded()
    found = [nn.utils.clip_grad_norm_(model.parameters(), 0.1)]
    found += [nn.utils.clip_grad_norm_(parameters=[model[0].weight], max_norm=0.1, norm_type="inf")]
    found += [nn.utils.clip_grad_norm_(model[0].weight, 0.01)]
    found += [
        nn.utils.clip_grad.clip_grad_norm_(filter(lambda p: p.ndim > 1, model.parameters()), 0.1)
    ]
    nn.utils.clip_grad_value_(graded().parameters(), clip_value=0.01)
    nn.utils.clip_grad_value_(model[2].weight, 0.001)
    found += [nn.utils.clip_grad_norm_((p for p in ()), 1.0), nn.utils.clip_grad_norm_([], 1.0)]
    found += [
        nn.utils.clip_grad_norm_(iter([]), 1.0),
        nn.utils.clip_grad_norm_({"a": model[0].bias}.values(), 1.0),
    ]
    found += [nn.utils.get_total_norm([p.grad for p in model.parameters()])]
    nn.utils.clip_grads_with_norm_(model.parameters(), 0.01, found[-1])
    for wrong in (
        lambda: nn.utils.clip_grad_norm_(3, 1.0),
        lambda: nn.utils.clip_grad_norm_(model.parameters()),
    ):
        try:
            wrong()
        except Exception as e:
            found.append([type(e).__name__, str(e)])
    model[0].weight.grad[0, 0] = float("nan")
    try:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    except RuntimeError as e:
        found.append(str(e))
    return found, [p.grad for p in model.parameters()]


@idiom
def vectors_of_parameters():
    model = net()
    vector = nn.utils.parameters_to_vector(model.parameters())
    nn.utils.vector_to_parameters(vector * 2, model.parameters())
    return vector, model


# --- optimizers and schedules --------------------------------------------------------------------


@idiom
def every_optimizer():
    found = {}
    for name in (
        "SGD",
        "Adam",
        "AdamW",
        "NAdam",
        "RAdam",
        "Adamax",
        "Adagrad",
        "Adadelta",
        "RMSprop",
        "Rprop",
        "ASGD",
        "Adafactor",
        "Muon",
    ):
        kind = getattr(torch.optim, name, None)
        if kind is None:
            continue
        torch.manual_seed(3)
        model = net() if name != "Muon" else nn.Linear(6, 3, bias=False)
        found[name] = trained(model, 3, kind(model.parameters(), lr=0.01))
    return found


@idiom
def optimizers_of_every_make():
    found = []
    for options in (
        {"foreach": True},
        {"foreach": False},
        {"fused": True},
        {"maximize": True},
        {"capturable": False},
        {"differentiable": False},
        {"lr": torch.tensor(0.01)},
    ):
        torch.manual_seed(3)
        model = net()
        found.append(
            trained(model, 3, torch.optim.Adam(model.parameters(), **{"lr": 0.01, **options}))
        )
    model = net()
    named = torch.optim.SGD(model.named_parameters(), 0.1)
    return found, trained(model, 2, named), sorted(named.param_groups[0])


@idiom
def closures():
    model = net()
    x, y = data()
    lbfgs = torch.optim.LBFGS(model.parameters(), 0.5, max_iter=5, line_search_fn="strong_wolfe")
    calls = []

    def closure():
        lbfgs.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        calls.append(loss.item())
        return loss

    first = [lbfgs.step(closure) for _ in range(2)]
    sgd = torch.optim.SGD(model.parameters(), 0.1)
    second = sgd.step(closure=closure)
    return first, second, calls, model


@idiom
def groups_and_states():
    model = net()
    optimizer = torch.optim.AdamW(
        [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].weight}], lr=0.01
    )
    optimizer.add_param_group({"params": [model[2].bias], "weight_decay": 0.0})
    losses, _ = trained(model, 2, optimizer)
    state = copy.deepcopy(optimizer.state_dict())
    again = torch.optim.AdamW(
        [
            {"params": model[0].parameters()},
            {"params": model[2].weight},
            {"params": [model[2].bias]},
        ]
    )
    again.load_state_dict(state)
    try:
        optimizer.add_param_group({"params": model[0].parameters()})
    except ValueError as e:
        losses.append(str(e))
    twin = copy.deepcopy(optimizer)
    pickled = pickle.loads(pickle.dumps(optimizer))
    return (
        losses,
        trained(model, 2, again),
        repr(again),
        len(twin.state),
        len(pickled.param_groups),
        optimizer.zero_grad(set_to_none=False),
    )


@idiom
def an_optimizer_of_ones_own():
    class Sign(torch.optim.Optimizer):
        def __init__(self, params, lr=0.01):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.add_(p.grad.sign(), alpha=-group["lr"])
            return "stepped"

        def zero_grad(self):
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad = None

    model = net()
    optimizer = Sign(filter(lambda p: p.requires_grad, model.parameters()))
    losses, _ = trained(model, 3, optimizer)
    return losses, model, optimizer.step()


@idiom
def optimizer_hooks_and_backward_steps():
    model, seen = net(), []
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    optimizer.register_step_pre_hook(lambda o, a, k: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, a, k: seen.append("after"))
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "mine": 1})
    losses, _ = trained(model, 2, optimizer)
    each = {p: torch.optim.SGD([p], 0.1) for p in model.parameters()}

    def step(p):
        each[p].step()
        each[p].zero_grad()

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(step)
    x, y = data()
    F.cross_entropy(model(x), y).backward()
    return losses, seen, sorted(optimizer.state_dict()), model


@idiom
def every_schedule():
    s = torch.optim.lr_scheduler
    made = {
        "step": lambda o: s.StepLR(o, 2),
        "multi": lambda o: s.MultiStepLR(o, [1, 3], gamma=0.5),
        "exp": lambda o: s.ExponentialLR(o, 0.9),
        "cos": lambda o: s.CosineAnnealingLR(o, T_max=4),
        "warm": lambda o: s.CosineAnnealingWarmRestarts(o, 2),
        "one": lambda o: s.OneCycleLR(o, 0.5, total_steps=6),
        "cyclic": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=2),
        "linear": lambda o: s.LinearLR(o, total_iters=3),
        "constant": lambda o: s.ConstantLR(o, total_iters=3),
        "poly": lambda o: s.PolynomialLR(o, total_iters=3),
        "lambda": lambda o: s.LambdaLR(o, lambda k: 1 / (k + 1)),
        "times": lambda o: s.MultiplicativeLR(o, lambda k: 0.9),
        "chain": lambda o: s.ChainedScheduler([s.ConstantLR(o), s.ExponentialLR(o, 0.9)]),
        "sequence": lambda o: s.SequentialLR(
            o, [s.ConstantLR(o), s.ExponentialLR(o, 0.9)], milestones=[2]
        ),
    }
    found = {}
    for name, make in made.items():
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        schedule = make(optimizer)
        rates = []
        for _ in range(4):
            trained(model, 1, optimizer)
            schedule.step()
            rates.append(schedule.get_last_lr())
        twin = make(torch.optim.SGD(net().parameters(), 0.1, momentum=0.9))
        twin.load_state_dict(schedule.state_dict())
        found[name] = [rates, getattr(twin, "last_epoch", None)]
    plateau = s.ReduceLROnPlateau(optimizer, patience=0)
    for value in (1.0, 2.0, 3.0):
        plateau.step(value)
    plateau.step(metrics=torch.tensor(4.0))
    try:
        plateau.step()
    except TypeError as e:
        found["plateau"] = [plateau.get_last_lr(), str(e)[-60:]]
    return found


@idiom
def a_schedule_before_its_optimizer_warns():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    schedule.step()
    optimizer.step()
    one = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=1)
    for _ in range(3):
        one.step()


@idiom
def averaged_models():
    from torch.optim import swa_utils

    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    x, y = data()
    loader = DataLoader(TensorDataset(x, y), 8)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    ema = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
    swa = swa_utils.AveragedModel(model, use_buffers=True)
    schedule = swa_utils.SWALR(optimizer, 0.05)
    for _ in range(2):
        for a, b in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(a), b).backward()
            optimizer.step()
            ema.update_parameters(model)
        swa.update_parameters(model)
        schedule.step()
    swa_utils.update_bn(loader, ema)
    ema.eval()
    return ema(x), swa, ema.n_averaged, copy.deepcopy(ema)


# --- data ---------------------------------------------------------------------------------------


class Squares(Dataset):
    def __init__(self, n=12):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return {"x": torch.tensor([float(i)] * 3), "y": i % 3, "name": f"row {i}"}


class Stream(IterableDataset):
    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        begin, step = (info.id, info.num_workers) if info else (0, 1)
        yield from range(begin, 10, step)


class Whole(Dataset):
    def __getitems__(self, indices):
        return [torch.tensor(i * 2.0) for i in indices]

    def __getitem__(self, i):
        return torch.tensor(i * 1.0)

    def __len__(self):
        return 7


def told_worker(number):
    torch.manual_seed(number)


@idiom
def loaders_of_every_kind():
    x, y = data()
    rows = TensorDataset(x, y)
    g = torch.Generator().manual_seed(1)
    made = {
        "plain": DataLoader(rows, 7),
        "shuffled": DataLoader(rows, 7, shuffle=True, drop_last=True),
        "seeded": DataLoader(rows, 5, shuffle=True, generator=g),
        "single": DataLoader(rows, batch_size=None),
        "sampler": DataLoader(rows, 5, sampler=SubsetRandomSampler(range(10))),
        "weighted": DataLoader(rows, 5, sampler=WeightedRandomSampler([1.0] * 24, 9)),
        "replacing": DataLoader(rows, 5, sampler=RandomSampler(rows, True, 11)),
        "batches": DataLoader(rows, batch_sampler=BatchSampler(range(9), 4, False)),
        "lists": DataLoader([1, 2, 3, 4], 3),
        "dicts": DataLoader(Squares(), 5),
        "stream": DataLoader(Stream(), 4),
        "whole": DataLoader(Whole(), 3),
        "subset": DataLoader(Subset(rows, [3, 1, 2]), 2),
        "split": DataLoader(random_split(rows, [0.5, 0.5])[0], 5),
        "joined": DataLoader(ConcatDataset([rows, rows]), 20),
        "stacked": DataLoader(StackDataset(a=x, b=y), 10),
        "collated": DataLoader(Squares(), 4, collate_fn=lambda items: [i["name"] for i in items]),
        "keys": DataLoader({"a": 1, "b": 2}, sampler=["b", "a"], batch_size=2),
    }
    found = {k: [list(v) for _ in range(2)] for k, v in made.items()}
    lengths = {k: len(v) for k, v in made.items() if k != "stream"}
    return found, lengths


@idiom
def loaders_with_workers():
    x, y = data()
    rows = TensorDataset(x, y)
    found = [list(DataLoader(rows, 7, shuffle=True, num_workers=2)) for _ in range(2)]
    found.append(list(DataLoader(Stream(), 2, num_workers=2)))
    kept = DataLoader(
        Squares(),
        4,
        num_workers=1,
        persistent_workers=True,
        prefetch_factor=1,
        worker_init_fn=told_worker,
    )
    found += [list(kept), list(kept)]
    found.append(list(DataLoader(rows, 12, num_workers=1, in_order=False)))
    return found


@idiom
def loaders_broken_off():
    x, y = data()
    loader = DataLoader(TensorDataset(x, y), 5, shuffle=True)
    first = next(iter(loader))
    some = list(itertools.islice(loader, 2))
    pairs = list(zip(loader, loader, strict=True))[:1]
    again = itertools.cycle(DataLoader(range(3), 2))
    turns = [next(again) for _ in range(3)]
    iterator = iter(loader)
    del loader
    try:
        while True:
            last = next(iterator)
    except StopIteration:
        pass
    try:
        next(iterator)
        over = False
    except StopIteration:
        over = True
    return first, some, pairs, turns, last, over, len(iterator)


@idiom
def loaders_that_raise():
    class Broken(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            if i == 2:
                raise KeyError("row 2")
            return i

    found = []
    for workers in (0, 1):
        try:
            list(DataLoader(Broken(), 1, num_workers=workers))
        except KeyError as e:
            found.append(["KeyError", str(e)[:60]])
    return found


@idiom
def a_loader_of_ones_own():
    class Twice(DataLoader):
        def __iter__(self):
            for batch in super().__iter__():
                yield batch
                yield batch

    x, y = data()
    loader = Twice(TensorDataset(x, y), 12)
    return list(loader), len(loader), type(iter(DataLoader([1]))).__name__


@idiom
def a_collate_function_that_uses_a_model():
    model = net().eval()
    x, y = data()

    def collate(items):
        with torch.no_grad():
            return model(torch.stack([a for a, _ in items]))

    return list(DataLoader(TensorDataset(x, y), 8, collate_fn=collate))


# --- saving -------------------------------------------------------------------------------------


class Kept(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x)


@idiom
def saving_of_every_flavour():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.pt")
        model = Kept()
        found = []
        torch.save(model.state_dict(), path)
        found.append(torch.load(path))
        found.append(torch.load(path, mmap=True, weights_only=True))
        found.append(torch.load(path, map_location=lambda s, where: s))
        torch.save(
            obj={"model": model.state_dict(), "epoch": 3, "rng": torch.get_rng_state()}, f=path
        )
        found.append(torch.load(f=path, map_location="cpu")["epoch"])
        torch.save(model, path)
        try:
            torch.load(path)
        except pickle.UnpicklingError as e:
            found.append([type(e).__name__, "weights_only" in str(e)])
        found.append(torch.load(path, weights_only=False))
        with torch.serialization.safe_globals([Kept, nn.Linear]):
            found.append(torch.load(path))
        with open(path, "wb") as stream:
            torch.save([1, torch.ones(2)], stream, _use_new_zipfile_serialization=False)
        with open(path, "rb") as stream:
            found.append(torch.load(stream))
        stream = io.BytesIO()
        torch.save(torch.randn(2, 6), stream, pickle_protocol=2)
        stream.seek(0)
        found.append(torch.load(stream))
        stream = io.BytesIO()
        pickle.dump(model, stream)
        found.append(pickle.loads(stream.getvalue()))
        found.append(pickle.loads(pickle.dumps(model.state_dict())))
        for wrong in (
            lambda: torch.load(os.path.join(folder, "none.pt")),
            lambda: torch.save(1),
            lambda: torch.save(1, ""),
        ):
            try:
                wrong()
            except Exception as e:
                found.append(type(e).__name__)
        return found


@idiom
def saving_outputs_of_a_model():
    model = net()
    out = model(torch.randn(2, 6))
    stream = io.BytesIO()
    torch.save(out, stream)
    stream.seek(0)
    again = torch.load(stream)
    return again, again.requires_grad, sorted(vars(out))


@idiom
def copies():
    model = net()
    losses, model = trained(model)
    twin, shallow = copy.deepcopy(model), copy.copy(model)
    kept = {k: v.clone() for k, v in model.state_dict().items()}
    trained(model)
    model.load_state_dict(kept)
    missing = model.load_state_dict({"0.weight": kept["0.weight"]}, strict=False)
    assigned = net()
    assigned.load_state_dict(kept, assign=True)
    with torch.no_grad():
        assigned.load_state_dict(OrderedDict(kept))
    try:
        nn.Linear(2, 2).load_state_dict(kept)
    except RuntimeError as e:
        losses.append(len(str(e)))
    return (
        losses,
        twin,
        shallow,
        assigned,
        str(missing),
        sorted(vars(model)),
        sorted(model.__dict__),
    )


@idiom
def what_objects_hold():
    """Nothing was added to the program's own objects."""
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    losses, _ = trained(model, 2, optimizer)
    x, y = data()
    out = model(x)
    loss = F.cross_entropy(out, y)
    loader = DataLoader([1, 2])
    list(loader)
    hooks = [
        len(getattr(model, n)) for n in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    ]
    return (
        sorted(vars(model)),
        sorted(vars(optimizer)),
        sorted(vars(loader)),
        sorted(vars(out)),
        out._backward_hooks,
        loss._backward_hooks,
        hooks,
        [p._backward_hooks for p in model.parameters()],
    )


# --- surroundings --------------------------------------------------------------------------------


@idiom
def generators():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    found = [torch.rand(2), torch.randperm(5), random.random(), np.random.rand(2)]
    torch.set_rng_state(state)
    found.append(torch.rand(2))
    g = torch.manual_seed(7)
    found += [type(g).__name__, torch.initial_seed(), random.seed(3), random.random()]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        found.append(torch.rand(1))
    x, y = data()
    model = nn.Sequential(nn.Dropout(0.5), net())
    found += [F.cross_entropy(model(x), y), torch.rand(2), np.random.seed(1), np.random.rand(1)]
    return found


@idiom
def threads_of_ones_own():
    found = {}

    def work(k):
        torch.manual_seed(k) if False else None
        model = nn.Linear(6, 3)
        with torch.no_grad():
            model.weight.fill_(k)
            model.bias.zero_()
        found[k] = model(torch.ones(2, 6)), threading.current_thread().name

    threads = [threading.Thread(target=work, args=(k,), name=f"worker {k}") for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[k] for k in sorted(found)]


@idiom
def several_models_at_a_time_in_threads():
    from concurrent.futures import ThreadPoolExecutor

    models = [nn.Linear(6, 3) for _ in range(4)]
    x, y = data()

    def fit(model):
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for _ in range(5):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        return model

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(fit, models))


@idiom
def one_process_of_a_group():
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DistributedSampler

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29611")
    dist.init_process_group("gloo", rank=0, world_size=1)
    try:
        model = DistributedDataParallel(net())
        x, y = data()
        rows = TensorDataset(x, y)
        sampler = DistributedSampler(rows)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        losses = []
        for epoch in range(2):
            sampler.set_epoch(epoch)
            for a, b in DataLoader(rows, 8, sampler=sampler):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(a), b)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        with model.no_sync():
            model(x).sum().backward()
        total, parts, whole = torch.ones(2), [torch.zeros(2)], [None]
        dist.all_reduce(total)
        dist.all_gather(parts, torch.full((2,), 3.0))
        dist.all_gather_object(whole, {"rank": 0})
        dist.broadcast(total, 0)
        dist.barrier()
        scattered = torch.zeros(2)
        dist.scatter(scattered, [torch.full((2,), 4.0)], 0)
        gathered = [torch.zeros(2)]
        dist.gather(total, gathered, 0)
        objects = ["a"]
        dist.broadcast_object_list(objects, 0)
        reduced = torch.zeros(2)
        dist.reduce_scatter(reduced, [torch.full((2,), 5.0)])
        flat = torch.zeros(2)
        dist.all_gather_into_tensor(flat, torch.full((2,), 6.0))
        names = [dist.get_rank(), dist.get_world_size(), dist.get_backend(), dist.is_initialized()]
        return (
            losses,
            model.module,
            total,
            parts,
            whole,
            scattered,
            gathered,
            objects,
            reduced,
            flat,
            names,
        )
    finally:
        dist.destroy_process_group()


@idiom
def parallel_on_no_device():
    model = nn.DataParallel(net())
    x, y = data()
    F.cross_entropy(model(x), y).backward()
    return [p.grad for p in model.parameters()]


@idiom
def warnings_as_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses, model = trained(net())
        x, y = data()
        right = (model(x).argmax(1) == y).sum()
        torch.save(model.state_dict(), io.BytesIO())
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    return losses, right


@idiom
def deterministic_algorithms():
    try:
        torch.use_deterministic_algorithms(True)
        return trained(net())
    finally:
        torch.use_deterministic_algorithms(False)


@idiom
def recursion_in_modules():
    class Tree(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.fc = nn.Linear(6, 6)
            self.inner = Tree(depth - 1) if depth else None

        def forward(self, x):
            h = torch.tanh(self.fc(x))
            return self.inner(h) + self.inner(-h) if self.inner is not None else h

    model = Tree(2)
    model(torch.randn(3, 6)).sum().backward()
    return [p.grad for p in model.parameters()], str(model.train()), model.eval().inner.training


@idiom
def recurrent_and_attention_layers():
    rnn = nn.LSTM(4, 5, batch_first=True, dropout=0.2, num_layers=2)
    cell = nn.GRUCell(4, 5)
    attention = nn.MultiheadAttention(8, 2, dropout=0.1)
    x = torch.randn(3, 6, 4)
    out, (h, c) = rnn(x)
    packed = nn.utils.rnn.pack_padded_sequence(x, [6, 4, 2], batch_first=True)
    unpacked, _ = nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], batch_first=True)
    state = torch.zeros(3, 5)
    for t in range(6):
        state = cell(x[:, t], state)
    q = torch.randn(5, 2, 8)
    mixed, weights = attention(q, q, q)
    whole = nn.Transformer(8, 2, 1, 1, 16)(q, q)
    (
        out.sum() + h.sum() + c.sum() + unpacked.sum() + state.sum() + mixed.sum() + whole.sum()
    ).backward()
    return out, unpacked, state, mixed, weights, whole, [p.grad for p in rnn.parameters()]


@idiom
def distributions():
    d = torch.distributions
    mean = torch.randn(3, requires_grad=True)
    normal = d.Normal(mean, 1.0)
    loss = -normal.log_prob(torch.ones(3)).sum() + d.kl_divergence(normal, d.Normal(0.0, 1.0)).sum()
    (loss + normal.rsample().sum()).backward()
    picked = d.Categorical(logits=torch.randn(4, 3)).sample()
    return loss, mean.grad, picked, d.Bernoulli(0.3).entropy()


def main():
    """Call every idiom, and write down what came of it."""
    found = {}
    for name, function in IDIOMS.items():
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        before = torch.get_rng_state()
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            try:
                came = ["returned", told(function())]
            except Exception as e:
                came = ["raised", type(e).__name__, str(e)]
        # without the traceback of anomaly mode, which names every frame
        said = [[w.category.__name__, str(w.message).partition("Traceback")[0]] for w in given]
        drew = bool((before != torch.get_rng_state()).any())
        found[name] = [*came, said, drew, torch.rand(()).item()]
    with open(os.environ["IDIOMS"], "w") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    main()
