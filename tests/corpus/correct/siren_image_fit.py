"""Implicit representation of a picture: sine network, coordinates in, grey value out."""
import math

import torch
from torch import nn


class Sine(nn.Module):
    def __init__(self, i, o, omega=12.0, first=False):
        super().__init__()
        self.omega, self.linear = omega, nn.Linear(i, o)
        bound = 1 / i if first else math.sqrt(6 / i) / omega
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(self.omega * self.linear(x))


side = 32
grid = torch.linspace(-1, 1, side)
coords = torch.cartesian_prod(grid, grid)
r = coords.norm(dim=1)
pixels = (torch.cos(14 * r) * torch.exp(-1.5 * r)).unsqueeze(1)

model = nn.Sequential(Sine(2, 64, first=True), Sine(64, 64), nn.Linear(64, 1))
optim = torch.optim.Adam(lr=1e-3, params=model.parameters())
total_steps, steps_til_summary = 300, 60
for step in range(total_steps):
    model_output = model(coords)
    loss = ((model_output - pixels) ** 2).mean()
    if not step % steps_til_summary:
        print("Step %d, loss %0.6f, PSNR %.1f dB" % (step, loss.item(), -10 * math.log10(loss.item())))
    optim.zero_grad()
    loss.backward()
    optim.step()
