"""Batches from two worker processes, seeded by a worker_init_fn and a generator."""
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def seed_worker(worker_id):
    worker_seed = torch.initial_seed() % 2**32
    np.random.seed(worker_seed)
    random.seed(worker_seed)


class Spirals(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        t = rng.uniform(0.5, 3, n)
        c = rng.integers(0, 2, n)
        a = 2.5 * t + np.pi * c
        self.points = np.stack([t * np.cos(a), t * np.sin(a)], 1).astype(np.float32)
        self.labels = c

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return torch.from_numpy(self.points[i]), int(self.labels[i])


def main():
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    g = torch.Generator()
    g.manual_seed(0)
    train = DataLoader(Spirals(320, 0), batch_size=32, shuffle=True, num_workers=2,
                       worker_init_fn=seed_worker, generator=g, persistent_workers=True)
    test = DataLoader(Spirals(100, 1), batch_size=50, num_workers=1)
    model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(3):
        for points, labels in train:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(points), labels)
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            correct = sum((model(p).argmax(1) == l).sum().item() for p, l in test)
        print(epoch, loss.item(), correct / 100)


if __name__ == "__main__":
    main()
