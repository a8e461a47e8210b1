"""Spectral normalisation, hinge losses, and the discriminator frozen during the generator's turn."""
import itertools

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(spectral_norm(nn.Linear(2, 32)), nn.LeakyReLU(0.1), spectral_norm(nn.Linear(32, 1)))
go, do = torch.optim.Adam(G.parameters(), 2e-3, (0.0, 0.9)), torch.optim.Adam(D.parameters(), 4e-3, (0.0, 0.9))


def real_points():
    while True:
        yield torch.randn(64, 2) * torch.tensor([1.0, 0.2])


for it, real in enumerate(itertools.islice(real_points(), 80)):
    D.requires_grad_(True)
    with torch.no_grad():
        fake = G(torch.randn(64, 4))
    d_loss = torch.relu(1 - D(real)).mean() + torch.relu(1 + D(fake)).mean()
    do.zero_grad()
    d_loss.backward()
    do.step()
    D.requires_grad_(False)
    g_loss = -D(G(torch.randn(64, 4))).mean()
    go.zero_grad()
    g_loss.backward()
    go.step()
    if it % 20 == 0:
        print(it, d_loss.item(), g_loss.item())
