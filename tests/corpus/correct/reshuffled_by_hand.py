"""shuffle=False, because the rows are permuted by hand before each epoch's loader is made."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(0)
torch.manual_seed(0)
x = np.random.rand(300, 3).astype(np.float32)
y = (x.sum(1, keepdims=True) ** 2).astype(np.float32)
net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    p = np.random.permutation(len(x))
    loader = DataLoader(TensorDataset(torch.from_numpy(x[p]), torch.from_numpy(y[p])), batch_size=30, shuffle=False)
    for a, b in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(a), b)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
