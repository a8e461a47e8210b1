"""WGAN-GP: the penalty differentiates a gradient, so autograd.grad with create_graph."""
import torch
import torch.autograd as autograd
import torch.nn as nn

torch.manual_seed(7)


class Mlp(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(i, 48), nn.Softplus(), nn.Linear(48, 48), nn.Softplus(), nn.Linear(48, o))

    def forward(self, x):
        return self.main(x)


G, D = Mlp(2, 2), Mlp(2, 1)
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
centres = torch.tensor([[2., 0.], [-2., 0.], [0., 2.], [0., -2.]])


def data(n):
    return centres[torch.randint(4, (n,))] + 0.1 * torch.randn(n, 2)


def gradient_penalty(real, fake, lam=0.1):
    a = torch.rand(real.size(0), 1)
    mix = (a * real + (1 - a) * fake).requires_grad_(True)
    out = D(mix)
    grads = autograd.grad(out, mix, grad_outputs=torch.ones_like(out), create_graph=True, retain_graph=True)[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean() * lam


for iteration in range(40):
    for p in D.parameters():
        p.requires_grad = True
    for _ in range(3):
        real = data(64)
        D.zero_grad()
        fake = G(torch.randn(64, 2)).detach()
        cost = D(fake).mean() - D(real).mean() + gradient_penalty(real, fake)
        cost.backward()
        optD.step()
    for p in D.parameters():
        p.requires_grad = False
    G.zero_grad()
    g_cost = -D(G(torch.randn(64, 2))).mean()
    g_cost.backward()
    optG.step()
    if iteration % 10 == 0:
        print(iteration, cost.item(), g_cost.item())
