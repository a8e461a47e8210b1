import torch
import torch.nn as nn
from torch.distributions import Independent, Normal, kl_divergence


class Curves(torch.utils.data.IterableDataset):
    """Endless curves: random sums of two sines, as (context, target) of random sizes per batch."""

    def __init__(self, batches, batch_size=16):
        self.batches, self.batch_size = batches, batch_size

    def __iter__(self):
        for _ in range(self.batches):
            n = int(torch.randint(4, 12, ()))
            x = torch.rand(self.batch_size, n + 20, 1) * 4 - 2
            a, b = torch.randn(2, self.batch_size, 1, 1)
            yield x, a * torch.sin(x) + b * torch.cos(x), n


def mlp(i, o, h=48):
    return nn.Sequential(nn.Linear(i, h), nn.ReLU(inplace=True), nn.Linear(h, h), nn.ReLU(inplace=True), nn.Linear(h, o))


class LatentNP(nn.Module):
    def __init__(self, r=24, z=8):
        super().__init__()
        self.enc, self.to_q, self.dec = mlp(2, r), nn.Linear(r, 2 * z), mlp(1 + z, 2)

    def q(self, x, y):
        mu, s = self.to_q(self.enc(torch.cat([x, y], -1)).mean(1)).chunk(2, -1)
        return Independent(Normal(mu, 0.1 + 0.9 * torch.sigmoid(s)), 1)

    def forward(self, x, z):
        out = self.dec(torch.cat([x, z[:, None].expand(-1, x.size(1), -1)], -1))
        return Normal(out[..., :1], 0.05 + nn.functional.softplus(out[..., 1:]))


net = LatentNP()
optim = torch.optim.Adam(net.parameters(), lr=2e-3)
net.train()
for it, (x, y, n) in enumerate(torch.utils.data.DataLoader(Curves(600), batch_size=None)):
    prior, post = net.q(x[:, :n], y[:, :n]), net.q(x, y)
    elbo = net(x, post.rsample()).log_prob(y).mean() * x.size(1) - kl_divergence(post, prior).mean()
    optim.zero_grad()
    (-elbo / x.size(1)).backward()
    optim.step()
    if (it + 1) % 150 == 0:
        net.eval()
        with torch.no_grad():
            errs = []
            for x, y, n in Curves(10):
                errs.append((net(x[:, n:], net.q(x[:, :n], y[:, :n]).base_dist.mean).mean - y[:, n:]).pow(2).mean().item())
        print(it + 1, "context -> target MSE", sum(errs) / len(errs))
        net.train()
