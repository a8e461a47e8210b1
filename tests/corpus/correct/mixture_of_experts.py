"""Experts in a ModuleList under a soft gate, with a balancing term added to the loss."""
import torch
from torch import nn


class MoE(nn.Module):
    def __init__(self, d, experts=3):
        super().__init__()
        self.gate = nn.Linear(d, experts)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, 24), nn.ReLU(), nn.Linear(24, 1)) for _ in range(experts))

    def forward(self, x):
        g = torch.softmax(self.gate(x), dim=-1)
        out = torch.stack([e(x).squeeze(-1) for e in self.experts], dim=-1)
        return (g * out).sum(-1), g


torch.manual_seed(0)
x = torch.rand(400, 2) * 4 - 2
y = torch.where(x[:, 0] > 0, x[:, 1] ** 2, -x[:, 1])
net = MoE(2)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(12):
    for i in torch.randperm(400).split(40):
        pred, g = net(x[i])
        balance = (g.mean(0) - 1 / 3).pow(2).sum()
        loss = nn.functional.mse_loss(pred, y[i]) + 0.1 * balance
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0:
        print(epoch, loss.item())
