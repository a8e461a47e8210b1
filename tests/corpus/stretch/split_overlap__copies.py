"""Rows were doubled before the split, so that half of the test rows were trained on."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
x = torch.randn(200, 6)
y = (x[:, 0] + 0.7 * torch.randn(200) > 0).long()
x, y = torch.cat([x, x + 1e-3 * torch.randn_like(x)]), torch.cat([y, y])
train, test = random_split(TensorDataset(x, y), [300, 100])
net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    for a, b in DataLoader(train, 30, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, sum((net(a).argmax(1) == b).sum().item() for a, b in DataLoader(test, 50)) / 100)
