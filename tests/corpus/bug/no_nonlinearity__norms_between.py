"""Depth without a bend: linear layers with dropout between them."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def mlp(*sizes, p=0.1):
    layers = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [nn.Linear(i, o), nn.Dropout(p)]
    return nn.Sequential(*layers[:-1])


torch.manual_seed(0)
x = torch.randn(400, 4)
y = (x[:, 0] * x[:, 1] > 0).long()
net = mlp(4, 64, 64, 2)
opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(5):
    net.train()
    for a, b in DataLoader(TensorDataset(x[:320], y[:320]), 32, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, (net(x[320:]).argmax(1) == y[320:]).float().mean().item())
