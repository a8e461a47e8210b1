"""Siamese network: same digit or not, one shared tower, binary cross-entropy on the pair."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import MNIST


class Pairs(Dataset):
    def __init__(self, train, size):
        base = MNIST("data", train=train, download=True)
        self.x = base.data.float().unsqueeze(1) / 255
        self.y = base.targets
        self.by = {c: torch.where(self.y == c)[0].tolist() for c in range(10)}
        self.pairs = [self.draw(i % 2 == 1) for i in range(size)]

    def draw(self, same):
        a = random.randrange(len(self.x))
        c = self.y[a].item()
        other = c if same else random.choice([k for k in range(10) if k != c])
        return a, random.choice(self.by[other]), float(same)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        a, b, t = self.pairs[i]
        return self.x[a], self.x[b], torch.tensor(t)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(1, 6, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(216, 32))
        self.head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, a, b):
        return self.head((self.tower(a) - self.tower(b)).abs()).squeeze(1)


torch.manual_seed(0)
random.seed(0)
train_loader = DataLoader(Pairs(True, 640), 32, shuffle=True)
test_loader = DataLoader(Pairs(False, 128), 64)
net = SiameseNetwork()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(3):
    net.train()
    for a, b, t in train_loader:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(net(a, b), t)
        loss.backward()
        optimizer.step()
    net.eval()
    ok = 0
    with torch.no_grad():
        for a, b, t in test_loader:
            ok += ((net(a, b) > 0.5).float() == t).sum().item()
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {ok / 128:.3f}")
