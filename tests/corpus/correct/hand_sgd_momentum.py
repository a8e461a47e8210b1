"""Momentum and weight decay written out, updates under no_grad, module.zero_grad for the zeroing."""
import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(320, 6)
y = torch.sign(X[:, 0] + X[:, 1] ** 2 - 1)
model = nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Linear(30, 1))
velocity = [torch.zeros_like(p) for p in model.parameters()]
lr, mu, wd = 0.05, 0.9, 1e-4
for epoch in range(10):
    for idx in torch.randperm(len(X)).split(32):
        margin = y[idx] * model(X[idx]).view(-1)
        loss = torch.clamp(1 - margin, min=0).mean()      # hinge
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p, v in zip(model.parameters(), velocity):
                v.mul_(mu).add_(p.grad + wd * p)
                p.sub_(lr * v)
    if epoch % 3 == 0:
        print(epoch, loss.item())
