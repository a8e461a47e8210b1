"""Wasserstein GAN on a ring of points: five critic steps to a generator step, weights clipped."""
import math

import torch
from torch import nn

torch.manual_seed(0)


def real_batch(n):
    angle = torch.rand(n) * 2 * math.pi
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)


gen = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
critic = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = torch.optim.RMSprop(gen.parameters(), lr=5e-4)
opt_c = torch.optim.RMSprop(critic.parameters(), lr=5e-4)
N_CRITIC, CLIP, B = 5, 0.05, 64

for it in range(60):
    for _ in range(N_CRITIC):
        with torch.no_grad():
            fake = gen(torch.randn(B, 4))
        opt_c.zero_grad()
        loss_c = critic(fake).mean() - critic(real_batch(B)).mean()
        loss_c.backward()
        opt_c.step()
        for p in critic.parameters():
            p.data.clamp_(-CLIP, CLIP)
    opt_g.zero_grad()
    loss_g = -critic(gen(torch.randn(B, 4))).mean()
    loss_g.backward()
    opt_g.step()
    if it % 20 == 0:
        print(it, f"W {-loss_c.item():.4f} G {loss_g.item():.4f}")
