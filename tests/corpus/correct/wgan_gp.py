import torch
from torch import nn, autograd
torch.manual_seed(0)
gen = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
critic = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
og = torch.optim.Adam(gen.parameters(), lr=1e-4, betas=(0.0, 0.9))
oc = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.0, 0.9))
def gp(real, fake):
    eps = torch.rand(real.size(0), 1)
    x = (eps * real + (1 - eps) * fake).requires_grad_(True)
    s = critic(x)
    g, = autograd.grad(s, x, torch.ones_like(s), create_graph=True)
    return ((g.norm(2, dim=1) - 1) ** 2).mean()
def sample(n):
    a = torch.rand(n) * 6.283
    return torch.stack([a.cos(), a.sin()], 1)
for it in range(30):
    for p in critic.parameters(): p.requires_grad = True
    for _ in range(5):
        real = sample(64)
        with torch.no_grad():
            fake = gen(torch.randn(64, 2))
        oc.zero_grad()
        loss = critic(fake).mean() - critic(real).mean() + 10 * gp(real, fake)
        loss.backward()
        oc.step()
    for p in critic.parameters(): p.requires_grad = False
    og.zero_grad()
    gl = -critic(gen(torch.randn(64, 2))).mean()
    gl.backward()
    og.step()
    if it % 10 == 0: print(it, loss.item(), gl.item())
