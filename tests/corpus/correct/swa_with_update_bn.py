"""Stochastic weight averaging with the statistics taken anew."""
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
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
swa_model = AveragedModel(net)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
swa_schedule = SWALR(opt, swa_lr=0.05)
for epoch in range(8):
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    if epoch >= 4:
        swa_model.update_parameters(net)
        swa_schedule.step()
update_bn(train, swa_model)
print("raw", score(net), "averaged", score(swa_model))
