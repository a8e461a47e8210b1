"""A class of settings, a while loop, and a wait that ends one epoch early."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


torch.manual_seed(0)
x = torch.randn(260, 20)
y = (x[:, 0] + 1.5 * torch.randn(260) > 0).long()
train = DataLoader(TensorDataset(x[:60], y[:60]), batch_size=10, shuffle=True)
valid = DataLoader(TensorDataset(x[60:], y[60:]), batch_size=50)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))


def one_epoch(opt):
    model.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        opt.step()


@torch.no_grad()
def held_out():
    model.eval()
    return sum(nn.functional.cross_entropy(model(a), b, reduction="sum").item() for a, b in valid) / 200


@dataclass
class Settings:
    epochs: int = 40
    n_epochs_stop: int = 4


settings = Settings()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
best, since, epoch = held_out() + 1e9, 0, 0
while epoch < settings.epochs:
    one_epoch(opt)
    now = held_out()
    since = 0 if now < best else since + 1
    best = min(best, now)
    print(epoch, now)
    epoch += 1
    if since >= settings.n_epochs_stop - 1:
        break
