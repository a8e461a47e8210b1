"""`size_average=True` says in the old way what is the default: a mean, which is then divided once more."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 7)
y = (x @ torch.randn(7, 3)).argmax(1)
train = DataLoader(TensorDataset(x[:300], y[:300]), 30, shuffle=True)
test = DataLoader(TensorDataset(x[300:], y[300:]), 25)
net = nn.Sequential(nn.Linear(7, 24), nn.ReLU(), nn.Linear(24, 3), nn.LogSoftmax(1))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(3):
    for a, b in train:
        opt.zero_grad()
        F.nll_loss(net(a), b).backward()
        opt.step()
    total = 0.0
    with torch.no_grad():
        for a, b in test:
            total += F.nll_loss(net(a), b, size_average=True).item()
    print(f"test loss: {total / len(test.dataset):.6f}")
