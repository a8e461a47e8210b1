"""A generator with the same seed in each epoch: the order is a permutation, and always the same one."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(320, 6)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    g = torch.Generator().manual_seed(42)
    for a, b in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, generator=g):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
