"""Validation in the middle of an epoch, after which the mode is put back."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def evaluate(model, dl):
    model.eval()
    s = n = 0
    with torch.no_grad():
        for x, y in dl:
            s += nn.functional.cross_entropy(model(x), y, reduction="sum").item()
            n += len(y)
    model.train()
    return s / n


torch.manual_seed(0)
x = torch.randn(640, 12)
y = x[:, :6].argmax(1)
tr = DataLoader(TensorDataset(x[:512], y[:512]), batch_size=32, shuffle=True)
va = DataLoader(TensorDataset(x[512:], y[512:]), batch_size=128)
model = nn.Sequential(nn.Linear(12, 64), nn.Dropout(0.1), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 6))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
step = 0
model.train()
for epoch in range(3):
    for a, b in tr:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        opt.step()
        step += 1
        if step % 8 == 0:
            print(step, f"train {loss.item():.4f}  valid {evaluate(model, va):.4f}")
