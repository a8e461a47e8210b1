"""Model-agnostic meta-learning: the inner step by autograd.grad, the outer by Adam."""
import math

import torch
import torch.nn.functional as F

torch.manual_seed(0)


def net(x, w):
    x = torch.relu(F.linear(x, w[0], w[1]))
    x = torch.relu(F.linear(x, w[2], w[3]))
    return F.linear(x, w[4], w[5])


def init(i, o):
    return [(torch.randn(o, i) * math.sqrt(2 / i)).requires_grad_(), torch.zeros(o, requires_grad=True)]


weights = init(1, 24) + init(24, 24) + init(24, 1)
meta = torch.optim.Adam(weights, lr=2e-3)
for it in range(60):
    meta.zero_grad()
    outer = 0.0
    for task in range(4):
        a, ph = torch.rand(()) * 3 + 0.5, torch.rand(()) * math.pi
        xs, xq = torch.rand(10, 1) * 8 - 4, torch.rand(10, 1) * 8 - 4
        f = lambda t: a * torch.sin(t + ph)
        inner = F.mse_loss(net(xs, weights), f(xs))
        grads = torch.autograd.grad(inner, weights, create_graph=True)
        fast = [w - 0.01 * g for w, g in zip(weights, grads)]
        outer = outer + F.mse_loss(net(xq, fast), f(xq))
    outer = outer / 4
    outer.backward()
    meta.step()
    if it % 15 == 0:
        print(it, outer.item())
