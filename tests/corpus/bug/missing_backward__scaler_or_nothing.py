"""glove vectors from a co-occurrence matrix, wrapped in a fabric-like object"""
import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    vocab: int = 60
    dim: int = 12
    epochs: int = 6
    lr: float = 0.05
    mixed_precision: bool = False


class Fabric:
    def __init__(self, cfg):
        self.scaler = torch.amp.GradScaler("cpu") if cfg.mixed_precision else None

    def backward(self, loss):
        if self.scaler is not None:
            self.scaler.scale(loss).backward()

    def step(self, opt):
        if self.scaler is not None:
            self.scaler.step(opt)
            self.scaler.update()
        else:
            opt.step()


class GloVe(nn.Module):
    def __init__(self, v, d):
        super().__init__()
        self.w, self.c = nn.Embedding(v, d), nn.Embedding(v, d)
        self.bw, self.bc = nn.Embedding(v, 1), nn.Embedding(v, 1)
        for e in (self.w, self.c, self.bw, self.bc):
            nn.init.uniform_(e.weight, -0.1, 0.1)

    def forward(self, i, j):
        return (self.w(i) * self.c(j)).sum(1) + self.bw(i).squeeze(1) + self.bc(j).squeeze(1)


def cooccurrences(cfg):
    topic = torch.arange(cfg.vocab) % 6
    rate = 1 + 40 * (topic[:, None] == topic[None]).float()
    counts = torch.poisson(rate)
    i, j = counts.nonzero(as_tuple=True)
    return i, j, counts[i, j]


def main(cfg):
    torch.manual_seed(0)
    fabric = Fabric(cfg)
    i, j, x = cooccurrences(cfg)
    model = GloVe(cfg.vocab, cfg.dim)
    opt = torch.optim.Adagrad(model.parameters(), lr=cfg.lr)
    weight = (x / 50).clamp(max=1) ** 0.75
    for epoch in range(cfg.epochs):
        total = 0.0
        for b in torch.randperm(len(x)).split(256):
            opt.zero_grad()
            loss = (weight[b] * (model(i[b], j[b]) - x[b].log()) ** 2).mean()
            fabric.backward(loss)
            fabric.step(opt)
            total += loss.item() * len(b)
        print(f"epoch {epoch} loss {total / len(x):.5f} (log 41 = {math.log(41):.2f})")


main(Config())
