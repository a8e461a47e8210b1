"""Rows for training and for validation are drawn independently of each other."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler


class Wine(Dataset):
    def __init__(self, n=800):
        r = np.random.RandomState(5)
        self.x = r.randn(n, 7).astype("f4")
        self.y = ((self.x[:, 0] * self.x[:, 1] + self.x[:, 2]) > 0).astype("i8")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


torch.manual_seed(0)
np.random.seed(0)
ds = Wine()
train_idx = np.random.choice(len(ds), int(0.8 * len(ds)), replace=False)
val_idx = np.random.choice(len(ds), int(0.2 * len(ds)), replace=False)
train = DataLoader(ds, 40, sampler=SubsetRandomSampler(train_idx))
val = DataLoader(ds, 40, sampler=SubsetRandomSampler(val_idx))
net = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    net.train()
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(x).argmax(1) == y).sum().item() for x, y in val) / len(val_idx)
    print(epoch, round(loss.item(), 4), round(acc, 4))
