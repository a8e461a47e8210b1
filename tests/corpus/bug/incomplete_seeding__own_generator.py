"""Everything is seeded but the generator that the loader was given."""
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 123
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
shuffler = torch.Generator()
shuffler.seed()
x = torch.randn(300, 5)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for epoch in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 30, shuffle=True, generator=shuffler):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(a), b)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
