"""AveragedModel of a network that has no statistics at all."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset


def build():
    return nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 2))


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
slow = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.95))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(4):
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
        slow.update_parameters(net)
    print(epoch, score(net), score(slow))
