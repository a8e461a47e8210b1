import contextlib

import torch
from torch import nn


def standardise(x):
    centred = x - x.mean(0)
    return nn.functional.normalize(centred, dim=0, eps=1e-30) * len(x) ** 0.5


@contextlib.contextmanager
def borrowed(x):
    """Ask x itself for a gradient, and leave it as it was."""
    own = x.detach()[None].repeat_interleave(1, 0)[0].clone()
    own.requires_grad_(True)
    try:
        yield own
    finally:
        own.requires_grad_(False)


def gradient(f, x):
    with borrowed(x) as own:
        value = f(own)
        if value.numel() != 1:
            raise ValueError
        value = value + 0.0 * own.sum()
        value.sum().backward()
        return own.grad.clone()


def accumulated_gradient(losses, x):
    with borrowed(x) as own:
        levels = x.new_empty(len(losses), *x.shape).detach()
        for row, loss in zip(levels, losses):
            loss(own).sum().backward()
            row.copy_(own.grad)
        return levels


def chain(functions, x):
    value = x.detach().clone().requires_grad_(True)
    inputs = []

    def remember(v):
        inputs.append(v)
        return v

    for f in functions:
        value = f(remember(value))
    return [
        torch.autograd.grad(value, v, retain_graph=True)[0].detach() for v in inputs
    ]


def two_layer_gradients(W1, W2, x, target):
    H, D = W1.shape
    O = len(W2)
    net = nn.Sequential(nn.Linear(D, H, bias=False), nn.ReLU(), nn.Linear(H, O, bias=False)).to(W1.dtype)
    with torch.no_grad():
        net[0].weight.copy_(W1)
        net[2].weight.copy_(W2)
    loss = nn.MSELoss()(net(x[None])[0], target)
    net.zero_grad()
    loss.backward()
    return loss.detach(), net[0].weight.grad, net[2].weight.grad


def jacobian(f, x):
    return torch.autograd.functional.jacobian(f, x.detach().clone(), vectorize=True)


def descend(w, x, y, lr, steps):
    weight = nn.Parameter(torch.tensor(float(w)))
    optimizer = torch.optim.SGD([weight], lr=lr)
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(weight * x, y)
        loss.backward()
        optimizer.step()
        path.append((weight.item(), loss.item()))
    return tuple(map(list, zip(*path)))


def tape(t, _node=None):
    node = t.grad_fn if _node is None else _node
    if node is None:
        return []
    for before, _ in node.next_functions:
        if before is not None:
            return [type(node).__name__, *tape(t, before)]
    return [type(node).__name__]
