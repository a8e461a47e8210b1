"""Denoising score matching at several noise levels and annealed Langevin sampling (Song & Ermon 2019)."""
import torch
from torch import nn

sigmas = torch.logspace(0.3, -1.3, 8)


class ScoreNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(sigmas), 32)
        self.l1, self.l2, self.l3 = nn.Linear(2, 32), nn.Linear(32, 64), nn.Linear(64, 2)

    def forward(self, x, level):
        h = nn.functional.silu(self.l1(x) + self.emb(level))
        return self.l3(nn.functional.silu(self.l2(h))) / sigmas[level, None]


def sample_data(n):
    centre = torch.tensor([[2.0, 0], [-1, 1.7], [-1, -1.7]])[torch.randint(3, (n,))]
    return centre + 0.15 * torch.randn(n, 2)


def dsm_loss(net, x):
    level = torch.randint(len(sigmas), (len(x),))
    noise = torch.randn_like(x)
    score = net(x + sigmas[level, None] * noise, level)
    return ((sigmas[level, None] * score + noise) ** 2).sum(-1).mean()


@torch.no_grad()
def langevin(net, n, steps=30):
    x = torch.randn(n, 2) * sigmas[0]
    for i, s in enumerate(sigmas):
        level = torch.full((n,), i)
        alpha = 0.1 * s**2
        for _ in range(steps):
            x = x + alpha * net(x, level) + (2 * alpha).sqrt() * torch.randn_like(x)
    return x


net = ScoreNet()
ema = {k: v.clone() for k, v in net.state_dict().items()}
opt = torch.optim.Adam(net.parameters(), 2e-3)
for it in range(1200):
    loss = dsm_loss(net, sample_data(128))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    for k, v in net.state_dict().items():
        ema[k].mul_(0.99).add_(v, alpha=0.01)
    if it % 300 == 0:
        print(it, loss.item())
net.load_state_dict(ema)
out = langevin(net, 200)
modes = torch.tensor([[2.0, 0], [-1, 1.7], [-1, -1.7]])
print("share near a mode", (torch.cdist(out, modes).min(1).values < 0.6).float().mean().item())
