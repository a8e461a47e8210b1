"""A trainer with gradient accumulation; `begin_epoch` wipes what the last window left behind."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Settings:
    accumulate: int = 3
    rate: float = 0.05
    epochs: int = 5


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(4, 16), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(F.silu(self.hidden(x))).squeeze(-1)


class Trainer:
    def __init__(self, net, settings):
        self.net, self.cfg = net, settings
        self.optim = torch.optim.SGD(net.parameters(), lr=settings.rate, momentum=0.9)

    def begin_epoch(self):
        self.net.train()
        self.net.zero_grad(set_to_none=True)
        self.count = 0

    def batch(self, x, y):
        loss = F.mse_loss(self.net(x), y)
        (loss / self.cfg.accumulate).backward()
        self.count += 1
        if self.count == self.cfg.accumulate:
            self.optim.step()
            self.optim.zero_grad()
            self.count = 0
        return loss.item()

    def fit(self, x, y):
        for epoch in range(self.cfg.epochs):
            self.begin_epoch()
            order = torch.randperm(len(x))
            losses = [self.batch(x[i], y[i]) for i in order.split(10)]
            print(epoch, sum(losses) / len(losses))


torch.manual_seed(2)
x = torch.randn(70, 4)
Trainer(Regressor(), Settings()).fit(x, x.prod(1))
