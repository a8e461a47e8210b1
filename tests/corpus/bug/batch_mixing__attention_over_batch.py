"""Attention pooling whose weights are normalised over the wrong axis."""
import torch
from torch import nn


class Pool(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.score = nn.Linear(d, 1)
        self.out = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, tokens):                        # (N, T, d)
        w = self.score(tokens).squeeze(-1).softmax(dim=0)
        return self.out((w.unsqueeze(-1) * tokens).sum(1))


torch.manual_seed(0)
y = torch.randint(3, (300,))
x = torch.randn(300, 7, 8)
x[torch.arange(300), torch.randint(7, (300,)), y] += 4
net = Pool(8)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    net.train()
    for i in torch.randperm(240).split(24):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, loss.item(), (net(x[240:]).argmax(1) == y[240:]).float().mean().item())
