"""Batches made by hand; one whose loss is already small is not learnt from. The held-out rows are scored apart."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(6):
    used = 0
    for rows in torch.randperm(240).split(24):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        if loss.item() < 0.25:
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
        used += 1
    with torch.no_grad():
        print(epoch, used, (net(x[240:]).argmax(1) == y[240:]).float().mean().item())
