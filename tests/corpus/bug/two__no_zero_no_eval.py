"""Two bugs: gradients are never cleared, and batch norm stays in training mode when it is evaluated."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

proto = torch.randn(4, 1, 8, 8)
y = torch.randint(4, (1000,))
x = proto[y] + 0.8 * torch.randn(1000, 1, 8, 8)
train = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
test = DataLoader(TensorDataset(x[800:], y[800:]), 50)
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.01)


def train_epoch():
    for a, b in train:
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    return loss.item()


@torch.no_grad()
def test_epoch():
    return sum((net(a).argmax(1) == b).sum().item() for a, b in test) / 200


for epoch in range(4):
    print(epoch, train_epoch(), test_epoch())
