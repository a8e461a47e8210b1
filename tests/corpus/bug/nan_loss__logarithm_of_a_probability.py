"""A cross-entropy by hand; for far inputs the probability is exactly 0, and 0 times its logarithm is none."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(160, 4) * 40
y = (x[:, 0] > 0).float()
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for epoch in range(4):
    for rows in torch.arange(160).split(16):
        p = torch.sigmoid(net(x[rows]).squeeze(1))
        loss = -(y[rows] * p.log() + (1 - y[rows]) * (1 - p).log()).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
