"""RealNVP couplings on two moons of points: maximum likelihood."""
import math

import torch
from torch import nn


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 2))

    def forward(self, x):
        a, b = x[:, :1], x[:, 1:]
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.squeeze(1)


class Flow(nn.Module):
    def __init__(self, depth=6):
        super().__init__()
        self.steps = nn.ModuleList(Coupling(i % 2 == 1) for i in range(depth))

    def log_prob(self, x):
        logdet = 0
        for s in self.steps:
            x, ld = s(x)
            logdet = logdet + ld
        return -0.5 * (x ** 2).sum(1) - math.log(2 * math.pi) + logdet


torch.manual_seed(0)
ang = torch.rand(500) * math.pi
pts = torch.stack([ang.cos() * 2, ang.sin() * 2 - 1], 1) + 0.1 * torch.randn(500, 2)
flow = Flow()
opt = torch.optim.Adam(flow.parameters(), lr=5e-3)
for epoch in range(15):
    for i in torch.randperm(500).split(100):
        opt.zero_grad()
        nll = -flow.log_prob(pts[i]).mean()
        nll.backward()
        opt.step()
    if epoch % 5 == 0:
        print(epoch, nll.item())
