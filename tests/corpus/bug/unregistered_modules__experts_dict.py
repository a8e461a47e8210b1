"""Two experts by kind of input, kept in a plain dictionary; the gate is registered."""
import torch
from torch import nn


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(4, 2)
        self.experts = {k: nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)) for k in ("low", "high")}

    def forward(self, x):
        g = self.gate(x).softmax(-1)
        both = torch.cat([e(x) for e in self.experts.values()], dim=1)
        return (g * both).sum(1)


torch.manual_seed(0)
x = torch.randn(300, 4)
y = torch.where(x[:, 0] > 0, x[:, 1] * 2, x[:, 2].abs())
net = Experts()
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
for epoch in range(6):
    tot = 0.0
    for i in torch.randperm(300).split(30):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
        tot += loss.item()
    print(epoch, tot / 10)
