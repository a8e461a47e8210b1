"""Lookahead (Zhang et al. 2019) around any optimizer, for a wine-like tabular problem."""
from collections import defaultdict

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Lookahead:
    def __init__(self, optimizer, k=5, alpha=0.5):
        self.optimizer, self.k, self.alpha = optimizer, k, alpha
        self.slow = defaultdict(dict)
        self.counter = 0
        for group in optimizer.param_groups:
            for p in group["params"]:
                self.slow[p] = p.detach().clone()

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()
        self.counter += 1
        if self.counter % self.k == 0:
            for p, slow in self.slow.items():
                slow.add_(p.detach() - slow, alpha=self.alpha)
                p.data.copy_(slow)


class MLP(nn.Sequential):
    def __init__(self, *sizes):
        layers = []
        for i, o in zip(sizes, sizes[1:]):
            layers += [nn.Linear(i, o), nn.Mish()]
        super().__init__(*layers[:-1])


torch.manual_seed(7)
X = torch.randn(900, 13) * torch.linspace(1, 40, 13) + torch.linspace(-10, 300, 13)
teacher = torch.randn(13, 3)
train, val = random_split(range(900), [700, 200])
idx = torch.tensor(train.indices)
mean, std = X[idx].mean(0), X[idx].std(0)
Z = (X - mean) / std
y = (Z @ teacher + 0.5 * (Z**2 - 1) @ teacher.flip(0)).argmax(1)
train_loader = DataLoader(TensorDataset(Z[idx], y[idx]), 35, shuffle=True)
vidx = torch.tensor(val.indices)
model = MLP(13, 48, 24, 3)
opt = Lookahead(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))
sched = torch.optim.lr_scheduler.ExponentialLR(opt.optimizer, 0.95)
for epoch in range(15):
    model.train()
    for xb, yb in train_loader:
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
    model.eval()
    with torch.no_grad():
        acc = (model(Z[vidx]).argmax(1) == y[vidx]).float().mean()
    print(f"epoch {epoch} loss {loss.item():.3f} val acc {acc.item():.3f}")
