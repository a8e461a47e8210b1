"""All weights begin as zero, so that no unit of the hidden layer ever differs from its neighbour."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def init(module):
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)


torch.manual_seed(0)
x = torch.randn(320, 8)
y = (x[:, 0] * x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 2))
net.apply(init)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
