"""An untrained network is scored before training and a fresh one after it, to compare with; folds begin anew."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    return nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))


torch.manual_seed(0)
x = torch.randn(400, 8) * 3 + 1
y = (x[:, 0] > x[:, 1]).long()
train = DataLoader(TensorDataset(x[:320], y[:320]), 32, shuffle=True)
test = DataLoader(TensorDataset(x[320:], y[320:]), 40)


@torch.no_grad()
def score(model):
    model.eval()
    right = sum((model(a).argmax(1) == b).sum().item() for a, b in test)
    return right / 80


for fold in range(2):
    net = build()
    print("before", score(net))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(3):
        net.train()
        for a, b in train:
            opt.zero_grad()
            nn.functional.cross_entropy(net(a), b).backward()
            opt.step()
    print("after", score(net), "and one of chance", score(build()))
