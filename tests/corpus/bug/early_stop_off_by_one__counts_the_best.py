"""A stopper with patience 2 that counts the best epoch itself as one without improvement."""
import torch
from torch import nn


class Stopper:
    def __init__(self, patience):
        self.patience, self.seen = patience, []

    def __call__(self, loss):
        self.seen.append(loss)
        since = len(self.seen) - self.seen.index(min(self.seen))
        return since >= self.patience


torch.manual_seed(0)
x, xv = torch.randn(40, 8), torch.randn(60, 8)
y = x[:, :1] + 0.8 * torch.randn(40, 1)
yv = xv[:, :1] + 0.8 * torch.randn(60, 1)
net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
stop = Stopper(patience=2)
for epoch in range(50):
    for i in torch.randperm(40).split(10):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[i]), y[i]).backward()
        opt.step()
    with torch.no_grad():
        val = nn.functional.mse_loss(net(xv), yv).item()
    print(epoch, val)
    if stop(val):
        break
