"""'Reproducible' run: seeds torch and random, the augmentation draws from numpy."""
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def seed_everything(seed=2024):
    random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


class Noisy(Dataset):
    def __init__(self, n):
        self.y = torch.randint(4, (n,))
        self.x = torch.eye(4).repeat_interleave(3, 1)[self.y].numpy() * 2

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        jitter = np.random.normal(0, 0.8, size=12).astype("float32")
        return torch.from_numpy(self.x[i] + jitter), self.y[i]


def main():
    seed_everything()
    loader = DataLoader(Noisy(600), 30, shuffle=True)
    net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(4):
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
        print(epoch, loss.item())


main()
