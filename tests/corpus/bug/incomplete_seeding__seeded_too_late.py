"""The seed is set, after the weights have been drawn; the split uses Python's generator."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms


def set_seed(seed):
    torch.manual_seed(seed)


model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
set_seed(7)
full = datasets.FashionMNIST("data", True, transforms.ToTensor(), download=True)
rows = list(range(len(full)))
random.shuffle(rows)
cut = int(0.9 * len(rows))
train, val = DataLoader(Subset(full, rows[:cut]), 50, shuffle=True), DataLoader(Subset(full, rows[cut:]), 50)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    model.train()
    for x, y in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, sum((model(x).argmax(1) == y).sum().item() for x, y in val) / (len(rows) - cut))
