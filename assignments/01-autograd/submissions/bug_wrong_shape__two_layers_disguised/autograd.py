import numpy as np
import torch
import torch.autograd.functional as AF
from torch.autograd import grad


def standardise(x):
    a = x.detach().cpu().numpy()
    m, s = a.mean(axis=0), a.std(axis=0)
    flat = s == 0
    z = (a - m) / np.where(flat, 1, s)
    z[:, flat] = 0
    return torch.from_numpy(z).to(x.dtype)


def gradient(f, x):
    own = torch.tensor(x.detach().numpy().copy(), requires_grad=True)
    y = f(own)
    if np.prod(tuple(y.shape)) != 1:
        raise ValueError("not a scalar")
    if y.grad_fn is None:
        return torch.from_numpy(np.zeros(tuple(x.shape), dtype=x.detach().numpy().dtype))
    g, = grad(y, own, grad_outputs=torch.ones_like(y), allow_unused=True)
    return torch.zeros(x.shape, dtype=x.dtype) if g is None else g


def accumulated_gradient(losses, x):
    rows = np.array([gradient(l, x).numpy() for l in losses], dtype=x.detach().numpy().dtype)
    return np.cumsum(rows.reshape(len(losses), *x.shape), axis=0)


def chain(functions, x):
    xs = [x.detach()]
    for f in functions:
        xs.append(f(xs[-1]))
    out = []
    for k in range(len(functions)):
        def rest(v, k=k):
            for f in functions[k:]:
                v = f(v)
            return v
        out.append(gradient(rest, xs[k]))
    return out


def two_layer_gradients(W1, W2, x, target):
    a, b, v, t = (q.detach().numpy() for q in (W1, W2, x, target))
    pre = a @ v
    h = np.maximum(pre, 0)
    e = b @ h - t
    d_out = 2 * e / len(e)
    d_h = (b.T @ d_out) * (pre > 0)
    return float((e ** 2).mean()), np.outer(v, d_h), np.outer(h, d_out)


def jacobian(f, x):
    return AF.jacobian(f, x.detach()).numpy()


def descend(w, x, y, lr, steps):
    x, y = x.numpy(), y.numpy()
    weights, losses = [], []
    for _ in range(steps):
        e = w * x - y
        losses.append(float((e * e).mean()))
        w = w - lr * float((2 * e * x).mean())
        weights.append(float(w))
    return weights, losses


def tape(t):
    names, edges = [], ((t.grad_fn, 0),)
    while True:
        alive = [n for n, _ in edges if n is not None]
        if not alive:
            return names
        names.append(alive[0].__class__.__name__)
        edges = alive[0].next_functions
