"""An exponential average of everything in the state, running statistics too."""
import copy

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


net = build()
ema = copy.deepcopy(net).requires_grad_(False)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(5):
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
        new = net.state_dict()
        for name, kept in ema.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.mul_(0.9).add_(new[name], alpha=0.1)
    print(epoch, score(net), score(ema))
