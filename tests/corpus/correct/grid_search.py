"""Several models one after another: three widths by two rates, the best is trained again on everything."""
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train_once(width, lr, train, val=None, epochs=4):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, width), nn.ReLU(), nn.Linear(width, 2))
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        net.train()
        for x, y in train:
            opt.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
    if val is None:
        return net
    net.eval()
    with torch.no_grad():
        return sum((net(x).argmax(1) == y).sum().item() for x, y in val) / len(val.dataset)


torch.manual_seed(1)
x = torch.randn(420, 5)
y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).long()
parts = [TensorDataset(x[a:b], y[a:b]) for a, b in ((0, 260), (260, 340), (340, 420))]
train, val, test = DataLoader(parts[0], 20, shuffle=True), DataLoader(parts[1], 80), DataLoader(parts[2], 80)
grid = {(w, lr): train_once(w, lr, train, val) for w, lr in itertools.product((8, 32, 64), (3e-3, 2e-2))}
for k, v in grid.items():
    print(k, v)
best = max(grid, key=grid.get)
final = train_once(*best, DataLoader(torch.utils.data.ConcatDataset(parts[:2]), 20, shuffle=True), epochs=6)
with torch.no_grad():
    print("test", best, sum((final(a).argmax(1) == b).sum().item() for a, b in test) / 80)
