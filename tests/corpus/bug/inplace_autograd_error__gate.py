"""Gated residual unit; the gate is scaled in place after sigmoid has saved it."""
import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.gate, self.val = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        g = torch.sigmoid(self.gate(x))
        v = torch.tanh(self.val(x)) * g
        g *= 0.5
        return x + v + g


net = nn.Sequential(nn.Linear(4, 16), Gated(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
x = torch.randn(300, 4)
y = x.abs().sum(1, keepdim=True)
for epoch in range(3):
    for i in torch.randperm(300).split(30):
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
