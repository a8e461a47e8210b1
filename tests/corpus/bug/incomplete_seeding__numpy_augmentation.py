"""torch is seeded, but the noise of the augmentation comes from numpy."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
torch.use_deterministic_algorithms(True)


class Noisy(Dataset):
    def __init__(self):
        self.x = torch.randn(240, 6)
        self.y = (self.x[:, 0] > 0).long()

    def __len__(self):
        return 240

    def __getitem__(self, i):
        return self.x[i] + torch.from_numpy(np.random.normal(0, 0.1, 6)).float(), self.y[i]


net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for epoch in range(4):
    for a, b in DataLoader(Noisy(), 24, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
