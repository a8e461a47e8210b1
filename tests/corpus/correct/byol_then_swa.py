"""BYOL-like self-supervision with a momentum target, a custom schedule, SAM-free, then fine tuning with SWA."""
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
basis = torch.randn(3, 30)
labels = torch.randint(3, (390,))
signals = basis[labels] + 0.7 * torch.randn(390, 30)
pool = DataLoader(TensorDataset(signals[:300]), batch_size=50, shuffle=True)
train = DataLoader(TensorDataset(signals[:60], labels[:60]), batch_size=20, shuffle=True)
test = DataLoader(TensorDataset(signals[300:], labels[300:]), batch_size=90)


class WarmCosine(torch.optim.lr_scheduler._LRScheduler):
    def __init__(self, optimizer, warm, total, last_epoch=-1):
        self.warm, self.total = warm, total
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        k = self.last_epoch
        f = (k + 1) / self.warm if k < self.warm else 0.5 * (1 + math.cos(math.pi * (k - self.warm) / (self.total - self.warm)))
        return [base * f for base in self.base_lrs]


def mlp(a, b, c):
    return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(inplace=True), nn.Linear(b, c))


online, predictor = mlp(30, 48, 16), mlp(16, 24, 16)
target = copy.deepcopy(online)
target.requires_grad_(False)


def view(x):
    return x * (torch.rand_like(x) > 0.2) + 0.1 * torch.randn_like(x)


def regression(p, z):
    return 2 - 2 * (F.normalize(p, dim=-1) * F.normalize(z, dim=-1)).sum(-1)


epochs = 6
optimizer = torch.optim.AdamW([*online.parameters(), *predictor.parameters()], lr=3e-3)
schedule = WarmCosine(optimizer, warm=3, total=epochs * len(pool))
step = 0
for epoch in range(epochs):
    for (x,) in pool:
        a, b = view(x), view(x)
        with torch.no_grad():
            za, zb = target(a), target(b)
        loss = (regression(predictor(online(a)), zb) + regression(predictor(online(b)), za)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        tau = 1 - (1 - 0.99) * (math.cos(math.pi * step / (epochs * len(pool))) + 1) / 2
        with torch.no_grad():
            for t, o in zip(target.parameters(), online.parameters()):
                t.lerp_(o, 1 - tau)
        step += 1
    print(f"self-supervision {epoch}: {loss.item():.3f}")

model = nn.Sequential(online, nn.Linear(16, 3))
swa = AveragedModel(model)
optimizer = torch.optim.SGD([
    {"params": model[0].parameters(), "lr": 0.01},
    {"params": model[1].parameters(), "lr": 0.05},
], momentum=0.9)
swa_schedule = SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
for epoch in range(6):
    model.train()
    for x, y in train:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    if epoch >= 2:
        swa.update_parameters(model)
        swa_schedule.step()
update_bn(train, swa)
swa.eval()
hits = 0
with torch.no_grad():
    for x, y in test:
        hits += (swa(x).argmax(1) == y).sum().item()
print(f"accuracy of the average: {hits / 90:.3f}")
