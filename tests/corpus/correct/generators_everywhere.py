"""Reproducible: one generator for the split, one for the loader, a seed for the weights."""
import os
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms


def seed_everything(seed: int) -> torch.Generator:
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)
    return torch.Generator().manual_seed(seed)


g = seed_everything(2024)
full = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
n = len(full)
tr, va = random_split(full, [n - n // 5, n // 5], generator=torch.Generator().manual_seed(0))
train_dl = DataLoader(tr, batch_size=64, shuffle=True, generator=g)
val_dl = DataLoader(va, batch_size=128)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 80), nn.ReLU(), nn.Dropout(0.1), nn.Linear(80, 10))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    model.train()
    for x, y in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, sum((model(x).argmax(1) == y).sum().item() for x, y in val_dl) / len(va))
