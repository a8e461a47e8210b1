"""Adam with a rate that would suit nothing; a class holds the settings."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Settings:
    rate: float = 1.0
    epochs: int = 5
    width: int = 64


def build(s):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, s.width), nn.ReLU(), nn.Linear(s.width, s.width), nn.ReLU(), nn.Linear(s.width, 5))


def main(s):
    net = build(s)
    opt = torch.optim.Adam(net.parameters(), lr=s.rate)
    x = torch.randn(400, 10)
    y = (x @ torch.randn(10, 5)).argmax(1)
    for epoch in range(s.epochs):
        agg = 0.0
        for i in torch.randperm(400).split(40):
            opt.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(net(x[i]), y[i])
            loss.backward()
            opt.step()
            agg += loss.item() * len(i)
        print(epoch, agg / 400)


main(Settings())
