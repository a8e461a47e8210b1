"""Hogwild with threads: two workers step on one shared model without a lock, each with its own optimizer."""
import copy
import threading

import torch
from torch import nn

torch.manual_seed(0)
shared = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))
x = torch.randn(400, 5)
y = x.sum(1, keepdim=True)


def worker(rows, seed):
    g = torch.Generator().manual_seed(seed)
    local = copy.deepcopy(shared)
    opt = torch.optim.SGD(shared.parameters(), lr=0.01)
    for epoch in range(5):
        for k in torch.randperm(len(rows), generator=g).split(20):
            local.load_state_dict(shared.state_dict())
            grads = torch.autograd.grad(nn.functional.mse_loss(local(x[rows[k]]), y[rows[k]]), list(local.parameters()))
            for p, gr in zip(shared.parameters(), grads):
                p.grad = gr
            opt.step()


threads = [threading.Thread(target=worker, args=(torch.arange(200) + 200 * t, t)) for t in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
with torch.no_grad():
    print(nn.functional.mse_loss(shared(x), y).item())
