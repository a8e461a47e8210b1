from collections import defaultdict
import torch
from torch import nn
import torch.nn.functional as F


class BetaVAE(nn.Module):
    def __init__(self, d=20, z=3):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 2 * z))
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, d))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, 1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.dec(z), mu, logvar


class Losses:
    def __init__(self, beta=0.5):
        self.beta = beta

    def __call__(self, x, out):
        rec, mu, logvar = out
        terms = {"reconstruction": F.mse_loss(rec, x, reduction="sum") / len(x), "kl": -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1).mean()}
        terms["total"] = terms["reconstruction"] + self.beta * terms["kl"]
        return terms


class Meters:
    def __init__(self):
        self.sum, self.n = defaultdict(float), 0

    def log(self, terms, n):
        for name, value in terms.items():
            self.sum[name] += value * n
        self.n += n

    def __str__(self):
        return ", ".join(f"{k} {v / self.n:.4f}" for k, v in self.sum.items())


def run(model, x, size, losses, opt=None):
    meters = Meters()
    model.train(opt is not None)
    with torch.set_grad_enabled(opt is not None):
        rows = torch.arange(len(x)) if opt is None else torch.randperm(len(x))
        for idx in rows.split(size):
            terms = losses(x[idx], model(x[idx]))
            if opt is not None:
                opt.zero_grad()
                terms["total"].backward()
                opt.step()
            meters.log(terms, len(idx))
    return meters


torch.manual_seed(2)
factors = torch.rand(1100, 3) * 2 - 1
x = torch.tanh(factors @ torch.randn(3, 20)) + 0.05 * torch.randn(1100, 20)
model, losses = BetaVAE(), Losses()
opt = torch.optim.Adam(model.parameters(), 3e-3)
for epoch in range(5):
    print(epoch, "train:", run(model, x[:1000], 50, losses, opt), "| val:", run(model, x[1000:], 50, losses))
