"""Batch norm only, in a class; `evaluate` switches the gradients off and nothing else."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Task:
    def __init__(self):
        torch.manual_seed(4)
        x = torch.randn(420, 6) * 3 + 1
        y = (x[:, 0] * x[:, 1] > 1).long()
        self.train_dl = DataLoader(TensorDataset(x[:320], y[:320]), 32, shuffle=True)
        self.valid_dl = DataLoader(TensorDataset(x[320:], y[320:]), 20)
        self.net = nn.Sequential(nn.Linear(6, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Linear(40, 2))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9)

    def train_epoch(self):
        self.net.train()
        for x, y in self.train_dl:
            self.opt.zero_grad()
            nn.functional.cross_entropy(self.net(x), y).backward()
            self.opt.step()

    @torch.no_grad()
    def evaluate(self):
        hits = 0
        for x, y in self.valid_dl:
            hits += (self.net(x).argmax(1) == y).sum().item()
        return hits / len(self.valid_dl.dataset)


task = Task()
for epoch in range(4):
    task.train_epoch()
    print(epoch, task.evaluate())
