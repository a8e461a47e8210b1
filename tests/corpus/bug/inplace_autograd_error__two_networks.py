"""Two networks with one graph: the critic moves before the actor has gone backward through it."""
import torch
from torch import nn

torch.manual_seed(0)
gen = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
disc = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
og = torch.optim.Adam(gen.parameters(), lr=1e-3)
od = torch.optim.Adam(disc.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for it in range(50):
    fake = gen(torch.randn(32, 2))
    judged = disc(fake)
    real = disc(torch.randn(32, 2) + 2)
    d_loss = bce(real, torch.ones(32, 1)) + bce(judged, torch.zeros(32, 1))
    g_loss = bce(judged, torch.ones(32, 1))
    od.zero_grad()
    d_loss.backward(retain_graph=True)
    od.step()
    og.zero_grad()
    g_loss.backward()
    og.step()
    print(it, d_loss.item(), g_loss.item())
