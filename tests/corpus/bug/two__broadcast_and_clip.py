"""Predictions (N, 1) against prices (N,), and a clip after the step."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 6)
price = (x ** 2).sum(1) * 4
net = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
criterion = nn.SmoothL1Loss()
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        opt.zero_grad()
        loss = criterion(net(x[i]), price[i])
        loss.backward()
        opt.step()
        nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    print(epoch, loss.item())
