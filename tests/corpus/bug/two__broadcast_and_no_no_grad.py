"""Energy demand regression with two slips: (B, 1) against (B,), and a graph in validation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(40)
x = torch.randn(900, 5)
y = 3 * x[:, 0] - x[:, 1] + torch.cos(2 * x[:, 2])
train = DataLoader(TensorDataset(x[:700], y[:700]), 35, shuffle=True)
val = DataLoader(TensorDataset(x[700:], y[700:]), 50)
model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(6):
    model.train()
    for a, b in train:
        opt.zero_grad()
        loss = (model(a) - b).abs().mean()
        loss.backward()
        opt.step()
    model.eval()
    err = 0.0
    for a, b in val:
        err += (model(a).squeeze(1) - b).abs().sum().item()
    print(epoch, loss.item(), err / 200)
