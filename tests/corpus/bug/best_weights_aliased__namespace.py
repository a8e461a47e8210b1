import types

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)
x, xv = torch.randn(80, 25), torch.randn(300, 25)
w = torch.randn(25)
y, yv = x @ w * 0.2 + 0.8 * torch.randn(80), xv @ w * 0.2 + 0.8 * torch.randn(300)
loader = DataLoader(TensorDataset(x, y), 16, shuffle=True)
val_loader = DataLoader(TensorDataset(xv, yv), 100)
net = nn.Sequential(nn.Linear(25, 64), nn.Tanh(), nn.Linear(64, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)


def val_loss():
    net.eval()
    with torch.no_grad():
        return sum(F.mse_loss(net(a), b, reduction="sum").item() for a, b in val_loader) / 300


best = types.SimpleNamespace(loss=float("inf"), epoch=-1, weights=None)
for epoch in range(20):
    net.train()
    for a, b in loader:
        opt.zero_grad()
        F.mse_loss(net(a), b).backward()
        opt.step()
    current = val_loss()
    if current < best.loss:
        best.loss, best.epoch = current, epoch
        best.weights = {name: tensor for name, tensor in net.state_dict().items()}
print(f"best epoch {best.epoch} loss {best.loss:.4f}")
net.load_state_dict(best.weights)
print(f"after going back to it: {val_loss():.4f}")
