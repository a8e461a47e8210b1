"""Only the last layer begins as zero, as residual branches do: the network starts as nothing and learns."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(240, 6)
y = (x[:, 0] + x[:, 1] ** 2 > 1).long()
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
nn.init.zeros_(net[-1].weight)
nn.init.zeros_(net[-1].bias)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(8):
    for rows in torch.randperm(240).split(24):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
