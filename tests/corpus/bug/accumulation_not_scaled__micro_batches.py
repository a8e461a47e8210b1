"""A big batch in small portions, to save memory; each portion counts as if it were the whole."""
import torch
from torch import nn


def big_step(net, opt, x, y, portions):
    opt.zero_grad()
    value = 0.0
    for xs, ys in zip(x.chunk(portions), y.chunk(portions)):
        loss = nn.functional.mse_loss(net(xs), ys)
        loss.backward()
        value += loss.item() / portions
    opt.step()
    return value


torch.manual_seed(0)
x = torch.randn(480, 6)
y = x[:, :1] * x[:, 1:2]
net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(6):
    values = [big_step(net, opt, x[i], y[i], portions=8) for i in torch.randperm(480).split(96)]
    print(epoch, sum(values) / len(values))
