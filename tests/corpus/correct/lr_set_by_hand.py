"""No scheduler: the rate is written into the optimizer's groups, cosine with a linear warm-up."""
import math

import torch
from torch import nn


def adjust_learning_rate(optimizer, it, total, base, warmup):
    if it < warmup:
        lr = base * (it + 1) / warmup
    else:
        t = (it - warmup) / max(1, total - warmup)
        lr = 0.5 * base * (1 + math.cos(math.pi * t))
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr
    return lr


torch.manual_seed(1)
X = torch.randn(500, 2)
y = ((X ** 2).sum(1) < 1.4).float()
net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
lossf = nn.BCEWithLogitsLoss()
epochs, bs = 10, 50
total = epochs * 10
it = 0
for e in range(epochs):
    perm = torch.randperm(500)
    for b in range(0, 500, bs):
        lr = adjust_learning_rate(opt, it, total, 0.5, 10)
        i = perm[b:b + bs]
        opt.zero_grad()
        loss = lossf(net(X[i]).squeeze(1), y[i])
        loss.backward()
        opt.step()
        it += 1
    with torch.no_grad():
        print(e, f"lr={lr:.4f}", "acc", ((net(X).squeeze(1) > 0).float() == y).float().mean().item())
