"""Resuming with plain SGD, which has no state to restore; the epoch and the weights are enough."""
from pathlib import Path

import torch
from torch import nn

FILE = Path("sgd.pt")


def session(epochs):
    g = torch.Generator().manual_seed(0)
    x = torch.randn(240, 4, generator=g)
    y = (x[:, 0] > x[:, 1]).long()
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    sgd = torch.optim.SGD(net.parameters(), lr=0.2)
    first = 0
    if FILE.exists():
        saved = torch.load(FILE, weights_only=True)
        net.load_state_dict(saved["net"])
        first = saved["epoch"]
    for epoch in range(first, first + epochs):
        for rows in torch.randperm(240).split(24):
            sgd.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            sgd.step()
        print(epoch, loss.item())
    torch.save({"net": net.state_dict(), "epoch": first + epochs}, FILE)


session(2)
session(3)
