#!/usr/bin/env python
"""Radial basis functions in double precision; centres and widths are learnt, full batch."""
from math import pi

import torch

torch.set_default_dtype(torch.float64)


class RBF(torch.nn.Module):
    def __init__(self, k):
        super().__init__()
        self.c = torch.nn.Parameter(torch.linspace(-1, 1, k))
        self.log_gamma = torch.nn.Parameter(torch.full((k,), 2.0))
        self.w = torch.nn.Parameter(torch.zeros(k))

    def forward(self, x):
        return torch.exp(-self.log_gamma.exp() * (x - self.c) ** 2) @ self.w


x = torch.linspace(-1, 1, 120).view(-1, 1)
y = torch.sin(2 * pi * x[:, 0]) * torch.exp(x[:, 0]) + 0.02 * torch.randn(120)
held_out = torch.zeros(120, dtype=torch.bool)
held_out[::5] = True
f = RBF(15)
opt = torch.optim.Adagrad(f.parameters(), lr=0.3)
prev = float("inf")
for it in range(2000):
    opt.zero_grad()
    e = (f(x[~held_out]) - y[~held_out]).square().mean()
    e.backward()
    opt.step()
    if it % 200 == 0:
        with torch.no_grad():
            t = (f(x[held_out]) - y[held_out]).square().mean().item()
        print(it, e.item(), t)
        if abs(prev - t) < 1e-7:
            break
        prev = t
