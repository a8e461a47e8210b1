"""Rare class drawn as often as the common one: WeightedRandomSampler instead of shuffle."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
y = (torch.rand(500) < 0.1).long()
x = torch.randn(500, 5) + y[:, None] * 1.2
train, test = TensorDataset(x[:400], y[:400]), TensorDataset(x[400:], y[400:])
w = 1.0 / torch.bincount(y[:400]).float()
sampler = WeightedRandomSampler(w[y[:400]], num_samples=400, replacement=True)
dl = DataLoader(train, batch_size=40, sampler=sampler)
net = nn.Sequential(nn.Linear(5, 20), nn.ReLU(), nn.Linear(20, 2))
opt = torch.optim.Adamax(net.parameters(), lr=1e-2)
for epoch in range(6):
    for a, b in dl:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
with torch.no_grad():
    pred = net(test.tensors[0]).argmax(1)
    t = test.tensors[1]
    tp = ((pred == 1) & (t == 1)).sum()
    print("recall", (tp / (t == 1).sum()).item(), "precision", (tp / (pred == 1).sum().clamp(min=1)).item())
