"""MAML on sine waves: the inner step is differentiated through."""
import math

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(2)


def task():
    amplitude, phase = 0.5 + 2 * torch.rand(()), math.pi * torch.rand(())

    def sample(k):
        x = 10 * torch.rand(k, 1) - 5
        return x, amplitude * torch.sin(x + phase)

    return sample


model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
meta = torch.optim.Adam(model.parameters(), lr=1e-3)
INNER = 0.01
loss_fn = nn.MSELoss()


def adapt(params, x, y, create_graph):
    loss = loss_fn(functional_call(model, params, (x,)), y)
    grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
    return {name: p - INNER * g for (name, p), g in zip(params.items(), grads)}


for step in range(40):
    meta.zero_grad()
    total = 0.0
    for _ in range(4):
        sample = task()
        fast = adapt(dict(model.named_parameters()), *sample(10), create_graph=True)
        x, y = sample(10)
        loss = loss_fn(functional_call(model, fast, (x,)), y) / 4
        loss.backward()
        total += loss.item()
    meta.step()
    if step % 10 == 9:
        print(f"step {step}: meta loss {total:.3f}")

sample = task()
params = {n: p.detach().clone().requires_grad_() for n, p in model.named_parameters()}
x, y = sample(10)
for _ in range(5):
    params = {n: p.detach().requires_grad_() for n, p in adapt(params, x, y, create_graph=False).items()}
with torch.no_grad():
    x, y = sample(50)
    print("after adaptation:", loss_fn(functional_call(model, params, (x,)), y).item())
