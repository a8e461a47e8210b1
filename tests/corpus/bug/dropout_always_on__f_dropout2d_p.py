"""dropout with training=True written out, in a residual block."""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a, self.b = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        return x + self.b(F.dropout(F.relu(self.a(x)), p=0.3, training=True))


torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] > x[:, 1]).long()
net = nn.Sequential(nn.Linear(6, 32), Block(32), Block(32), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(4):
    net.train()
    for i in torch.randperm(320).split(32):
        opt.zero_grad()
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, (net(x[320:]).argmax(1) == y[320:]).float().mean().item())
