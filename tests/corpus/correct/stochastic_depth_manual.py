"""Residual MLP with stochastic depth written by hand; the drop rate rises linearly with depth."""
import logging
import sys
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")


@dataclass(frozen=True)
class Hparams:
    depth: int = 4
    width: int = 48
    max_drop: float = 0.3
    lr: float = 2e-3
    weight_decay: float = 0.05
    epochs: int = 8


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0.0:
            return x
        keep = torch.rand(x.size(0), 1) >= self.p
        return x * keep / (1 - self.p)


class Block(nn.Module):
    def __init__(self, d, p):
        super().__init__()
        self.f = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.drop_path = DropPath(p)

    def forward(self, x):
        return x + self.drop_path(self.f(x))


def build(hp, n_in, n_out):
    rates = torch.linspace(0, hp.max_drop, hp.depth).tolist()
    return nn.Sequential(nn.Linear(n_in, hp.width), *[Block(hp.width, r) for r in rates], nn.LayerNorm(hp.width), nn.Linear(hp.width, n_out))


def groups(model, wd):
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    return [{"params": decay, "weight_decay": wd}, {"params": rest, "weight_decay": 0.0}]


hp = Hparams()
logging.info("config %s", asdict(hp))
torch.manual_seed(0)
x = torch.randn(1400, 10)
y = ((x[:, 0] * x[:, 1] > 0).long() + 2 * (x[:, 2].abs() > 0.7).long())
split = torch.randperm(1400)
tr, va = split[:1000], split[1000:]
net = build(hp, 10, 4)
opt = torch.optim.AdamW(groups(net, hp.weight_decay), lr=hp.lr)
for epoch in range(hp.epochs):
    net.train()
    for b in tr[torch.randperm(len(tr))].split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[b]), y[b], label_smoothing=0.05)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = (net(x[va]).argmax(1) == y[va]).float().mean().item()
    logging.info("epoch %d loss %.3f acc %.3f", epoch, loss.item(), acc)
