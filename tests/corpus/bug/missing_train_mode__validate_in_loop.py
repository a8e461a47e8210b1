"""Validation every 10 iterations, train() called once before the loop."""
import torch
from torch import nn


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def data(n, w):
    x = torch.randn(n, 20)
    return x, torch.stack([x[:, :5].prod(1), x @ w, x[:, 5] ** 2], 1).argmax(1)


w = torch.randn(20)
xtr, ytr = data(1000, w)
xva, yva = data(300, w)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 3))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
net.train()
step = 0
while step < 120:
    for idx in torch.randperm(1000).split(50):
        loss = nn.functional.cross_entropy(net(xtr[idx]), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        if step % 10 == 0:
            print(f"step {step} loss {loss.item():.3f} val acc {evaluate(net, xva, yva):.3f}")
