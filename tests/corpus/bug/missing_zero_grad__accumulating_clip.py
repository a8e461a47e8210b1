"""A step function with clipping; the zeroing stands after the return."""
import torch
from torch import nn


def optimise(loss, net, opt):
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    opt.step()
    return loss.item()
    opt.zero_grad()


torch.manual_seed(0)
x = torch.randn(300, 6)
y = x[:, :1].sin() * x[:, 1:2]
net = nn.Sequential(nn.Linear(6, 32), nn.SiLU(), nn.Linear(32, 1))
opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        last = optimise(nn.functional.mse_loss(net(x[i]), y[i]), net, opt)
    print(epoch, last)
