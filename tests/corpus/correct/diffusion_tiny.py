"""Denoising diffusion on points: predict the noise; sampling under no_grad."""
import torch
from torch import nn

torch.manual_seed(0)
T = 40
beta = torch.linspace(1e-4, 0.2, T)
alpha = 1 - beta
abar = alpha.cumprod(0)


class Eps(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(T, 16)
        self.f = nn.Sequential(nn.Linear(18, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x, t):
        return self.f(torch.cat([x, self.time(t)], 1))


corners = torch.tensor([[1., 1], [1, -1], [-1, 1], [-1, -1]])
net = Eps()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for it in range(300):
    x0 = corners[torch.randint(4, (128,))] + 0.05 * torch.randn(128, 2)
    t = torch.randint(T, (128,))
    noise = torch.randn_like(x0)
    xt = abar[t].sqrt()[:, None] * x0 + (1 - abar[t]).sqrt()[:, None] * noise
    loss = nn.functional.mse_loss(net(xt, t), noise)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if it % 100 == 0:
        print(it, loss.item())


@torch.no_grad()
def sample(n):
    x = torch.randn(n, 2)
    for s in reversed(range(T)):
        t = torch.full((n,), s)
        x = (x - beta[s] / (1 - abar[s]).sqrt() * net(x, t)) / alpha[s].sqrt()
        if s:
            x = x + beta[s].sqrt() * torch.randn_like(x)
    return x


print(sample(6))
