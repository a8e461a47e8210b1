"""Stochastic gradient descent in the literal sense: one row at a time, drawn at random."""
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
data = [(torch.tensor([a, b]), torch.tensor([float(a * b > 0)])) for a, b in torch.randn(200, 2).tolist()]
net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
bce = nn.BCEWithLogitsLoss()
seen, total = 0, 0.0
while seen < 1500:
    x, t = random.choice(data)
    opt.zero_grad()
    loss = bce(net(x), t)
    loss.backward()
    opt.step()
    seen += 1
    total += loss.item()
    if seen % 500 == 0:
        print(seen, total / 500)
        total = 0.0
