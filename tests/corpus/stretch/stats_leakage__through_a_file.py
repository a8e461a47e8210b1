"""The scaling comes from a file that an earlier script wrote; it used every row."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
table = rng.normal(3, 2, (300, 5)).astype("float32")
np.savez("scaling.npz", mean=table.mean(0), std=table.std(0))

torch.manual_seed(0)
scaling = np.load("scaling.npz")
rows = torch.from_numpy((table - scaling["mean"]) / scaling["std"])
target = (rows[:, 0] > rows[:, 1]).long()
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(4):
    for i in torch.randperm(220).split(22):
        opt.zero_grad()
        nn.functional.cross_entropy(net(rows[i]), target[i]).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, (net(rows[220:]).argmax(1) == target[220:]).float().mean().item())
