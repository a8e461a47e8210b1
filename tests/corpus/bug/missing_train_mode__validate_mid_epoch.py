"""Validation every few steps; it leaves the network as it likes it."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.f(x).squeeze(1)


def validate(net, x, y):
    net.eval()
    with torch.inference_mode():
        return nn.functional.mse_loss(net(x), y).item()


torch.manual_seed(0)
x = torch.randn(500, 10)
y = x[:, 0].abs() + x[:, 1]
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
step = 0
for epoch in range(3):
    net.train()
    for rows in torch.randperm(400).split(25):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
        step += 1
        if step % 4 == 0:
            print(step, loss.item(), validate(net, x[400:], y[400:]))
