"""Functional optimizers in the manner of optax: (init, update) pairs, chained, on a pytree of plain tensors."""
from typing import Callable, NamedTuple

import torch
from torch.func import functional_call, grad_and_value

Tree = dict[str, torch.Tensor]


class Transform(NamedTuple):
    init: Callable
    update: Callable


def tree_map(f, *trees: Tree) -> Tree:
    return {k: f(*(t[k] for t in trees)) for k in trees[0]}


def clip_by_global_norm(limit: float) -> Transform:
    def update(g, state, params):
        norm = torch.sqrt(sum(v.square().sum() for v in g.values()))
        scale = torch.clamp(limit / (norm + 1e-6), max=1.0)
        return tree_map(lambda v: v * scale, g), state
    return Transform(lambda params: (), update)


def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8) -> Transform:
    def init(params):
        return 0, tree_map(torch.zeros_like, params), tree_map(torch.zeros_like, params)

    def update(g, state, params):
        t, m, v = state
        t += 1
        m = tree_map(lambda a, b: b1 * a + (1 - b1) * b, m, g)
        v = tree_map(lambda a, b: b2 * a + (1 - b2) * b * b, v, g)
        return tree_map(lambda a, b: (a / (1 - b1 ** t)) / ((b / (1 - b2 ** t)).sqrt() + eps), m, v), (t, m, v)
    return Transform(init, update)


def add_decayed_weights(wd: float) -> Transform:
    return Transform(lambda p: (), lambda g, s, p: (tree_map(lambda a, b: a + wd * b if b.ndim > 1 else a, g, p), s))


def scale_by_schedule(fn) -> Transform:
    return Transform(lambda p: 0, lambda g, t, p: (tree_map(lambda v: -fn(t) * v, g), t + 1))


def chain(*parts: Transform) -> Transform:
    def update(g, states, params):
        new = []
        for part, state in zip(parts, states):
            g, state = part.update(g, state, params)
            new.append(state)
        return g, tuple(new)
    return Transform(lambda p: tuple(part.init(p) for part in parts), update)


def main():
    torch.manual_seed(0)
    x = torch.randn(1024, 10)
    y = ((x[:, 0] * x[:, 1] + x[:, 2]) > 0).long()
    net = torch.nn.Sequential(torch.nn.Linear(10, 40), torch.nn.GELU(), torch.nn.Linear(40, 2))
    params = {k: v.detach().clone() for k, v in net.named_parameters()}
    tx = chain(clip_by_global_norm(1.0), scale_by_adam(), add_decayed_weights(1e-3), scale_by_schedule(lambda t: 5e-3 * min(1.0, (t + 1) / 10)))

    def loss_fn(p, xb, yb):
        return torch.nn.functional.cross_entropy(functional_call(net, p, (xb,)), yb)

    step = grad_and_value(loss_fn)
    state = tx.init(params)
    key = torch.Generator().manual_seed(1)
    for epoch in range(10):
        for idx in torch.randperm(896, generator=key).split(64):
            g, value = step(params, x[idx], y[idx])
            updates, state = tx.update(g, state, params)
            params = tree_map(torch.add, params, updates)
        with torch.no_grad():
            acc = (functional_call(net, params, (x[896:],)).argmax(1) == y[896:]).float().mean()
        print(f"{epoch} loss {value.item():.3f} acc {acc.item():.3f}")


if __name__ == "__main__":
    main()
