"""Sums over the batch, asked for in three old ways, and divided by the number of samples once."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 7)
y = (x @ torch.randn(7, 3)).argmax(1)
train = DataLoader(TensorDataset(x[:300], y[:300]), 30, shuffle=True)
test = DataLoader(TensorDataset(x[300:], y[300:]), 50)
net = nn.Sequential(nn.Linear(7, 24), nn.ReLU(), nn.Linear(24, 3), nn.LogSoftmax(1))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
summed = nn.NLLLoss(size_average=False)
for epoch in range(3):
    for a, b in train:
        opt.zero_grad()
        F.nll_loss(net(a), b).backward()
        opt.step()
    one = two = three = 0.0
    with torch.no_grad():
        for a, b in test:
            one += F.nll_loss(net(a), b, size_average=False).item()
            two += summed(net(a), b).item()
            three += F.nll_loss(net(a), b, None, None, -100, None, "sum").item()
    for name, value in (("first", one), ("second", two), ("third", three)):
        print(f"{name} test loss: {value / len(test.dataset):.5f}")
