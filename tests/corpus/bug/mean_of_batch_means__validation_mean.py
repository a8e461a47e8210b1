"""Validation loss as the mean of a list, although its last batch is a single row."""
import statistics

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@torch.no_grad()
def validation_loss(net, dl):
    net.eval()
    return statistics.fmean(nn.functional.cross_entropy(net(x), y).item() for x, y in dl)


torch.manual_seed(0)
x = torch.randn(361, 6)
y = (x[:, :3] + 0.5 * torch.randn(361, 3)).argmax(1)
train = DataLoader(TensorDataset(x[:320], y[:320]), 32, shuffle=True)
valid = DataLoader(TensorDataset(x[320:], y[320:]), 20)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    print("epoch", epoch, "validation loss over the set:", validation_loss(net, valid))
