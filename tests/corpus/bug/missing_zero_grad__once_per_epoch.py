"""Spiral classification with a small trainer."""
import math

import torch
import torch.nn.functional as F


class SpiralTrainer:
    def __init__(self, net, lr):
        self.net = net
        self.optim = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.5)

    def batches(self, X, y, size):
        for idx in torch.randperm(len(X)).split(size):
            yield X[idx], y[idx]

    def epoch(self, X, y):
        self.net.train()
        self.optim.zero_grad()
        total = 0.0
        for xb, yb in self.batches(X, y, 30):
            loss = F.cross_entropy(self.net(xb), yb)
            loss.backward()
            self.optim.step()
            total += loss.item() * len(xb)
        return total / len(X)

    @torch.inference_mode()
    def score(self, X, y):
        self.net.eval()
        return (self.net(X).argmax(1) == y).float().mean().item()


torch.manual_seed(3)
t = torch.rand(300) * 2 + 0.3
c = torch.randint(0, 2, (300,))
a = 3 * t + math.pi * c
X = torch.stack([t * a.cos(), t * a.sin()], 1)
trainer = SpiralTrainer(torch.nn.Sequential(torch.nn.Linear(2, 40), torch.nn.ReLU(), torch.nn.Linear(40, 2)), 0.02)
for e in range(8):
    print(e, trainer.epoch(X[:240], c[:240]), trainer.score(X[240:], c[240:]))
