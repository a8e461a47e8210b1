"""Early stopping meant to stop after 3 epochs in a row without improvement."""
import torch
from torch import nn

torch.manual_seed(0)
patience = 3
x, xv = torch.randn(40, 8), torch.randn(60, 8)
y = x[:, :1] + 0.8 * torch.randn(40, 1)
yv = xv[:, :1] + 0.8 * torch.randn(60, 1)
net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
best, waited = float("inf"), 0
for epoch in range(50):
    for i in torch.randperm(40).split(10):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[i]), y[i]).backward()
        opt.step()
    with torch.no_grad():
        val = nn.functional.mse_loss(net(xv), yv).item()
    if val < best:
        best, waited = val, 0
    else:
        waited += 1
    print(epoch, val, waited)
    if waited > patience:
        print(f"stopped: {patience} epochs without improvement")
        break
