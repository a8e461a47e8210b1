import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class ResidualBlock(nn.Module):
    def __init__(self, dim, p):
        super().__init__()
        self.norm, self.lin1, self.lin2, self.p = nn.LayerNorm(dim), nn.Linear(dim, dim), nn.Linear(dim, dim), p

    def forward(self, x):
        h = F.relu(self.lin1(self.norm(x)))
        h = F.dropout(h, self.p)
        return x + self.lin2(h)


class TabNet(nn.Module):
    def __init__(self, n_in, n_out, dim=32, depth=2, p=0.2):
        super().__init__()
        self.inp = nn.Linear(n_in, dim)
        self.blocks = nn.Sequential(*[ResidualBlock(dim, p) for _ in range(depth)])
        self.out = nn.Linear(dim, n_out)

    def forward(self, x):
        return self.out(self.blocks(self.inp(x)))


x = torch.randn(1000, 12)
y = (x[:, :4].abs().sum(1) > 3.2).long()
train, test = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True), DataLoader(TensorDataset(x[800:], y[800:]), 50)
net = TabNet(12, 2)
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(6):
    net.train()
    for a, b in train:
        opt.zero_grad()
        loss = F.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, sum((net(a).argmax(1) == b).sum().item() for a, b in test) / 200)
