"""Validation sums are tensors, but no graph hangs on them; training sums are detached."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(420, 8)
y = x[:, :5].argmax(1)
tr, va = DataLoader(TensorDataset(x[:330], y[:330]), 32, shuffle=True), DataLoader(TensorDataset(x[330:], y[330:]), 32)
net = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, 5))
opt = torch.optim.Adam(net.parameters(), 1e-2)
summed = nn.CrossEntropyLoss(reduction="sum")
for epoch in range(4):
    train_sum = torch.zeros(())
    for a, b in tr:
        loss = nn.functional.cross_entropy(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        train_sum += loss.detach() * len(a)
    val_sum = 0
    with torch.no_grad():
        for a, b in va:
            val_sum += summed(net(a), b)
    print(epoch, (train_sum / 330).item(), (val_sum / 90).item())
