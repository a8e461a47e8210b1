"""Contrastive learning: two noisy views, NT-Xent loss written as a cross-entropy over similarities."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
base = torch.randn(6, 20) * 2
labels = torch.randint(6, (360,))
data = base[labels] + 0.5 * torch.randn(360, 20)


def nt_xent(z1, z2, tau=0.5):
    n = len(z1)
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    sim = z @ z.t() / tau
    sim = sim.masked_fill(torch.eye(2 * n, dtype=torch.bool), float("-inf"))
    target = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, target)


def view(x):
    return x + 0.3 * torch.randn_like(x)


encoder = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32))
projector = nn.Sequential(nn.ReLU(), nn.Linear(32, 16))
params = list(encoder.parameters()) + list(projector.parameters())
opt = torch.optim.Adam(params, lr=3e-3)
for epoch in range(6):
    for idx in torch.randperm(360).split(60):
        x = data[idx]
        loss = nt_xent(projector(encoder(view(x))), projector(encoder(view(x))))
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("pretrain", epoch, loss.item())

encoder.requires_grad_(False).eval()
probe = nn.Linear(32, 6)
popt = torch.optim.SGD(probe.parameters(), lr=0.1)
for epoch in range(10):
    for idx in torch.randperm(360)[:240].split(40):
        popt.zero_grad()
        F.cross_entropy(probe(encoder(data[idx])), labels[idx]).backward()
        popt.step()
with torch.no_grad():
    print("probe", (probe(encoder(data)).argmax(1) == labels).float().mean().item())
