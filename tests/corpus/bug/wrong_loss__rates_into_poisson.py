"""Counts: the network ends in an exponential, and the Poisson loss takes another one of it."""
import torch
from torch import nn


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 1)

    def forward(self, x):
        return torch.exp(self.lin(x)).squeeze(1)


torch.manual_seed(0)
x = torch.randn(300, 4) * 0.3
counts = torch.poisson(torch.exp(x.sum(1)))
model = Counts()
loss_of = nn.PoissonNLLLoss()
opt = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(10):
    for rows in torch.randperm(300).split(60):
        opt.zero_grad()
        loss = loss_of(model(x[rows]), counts[rows])
        loss.backward()
        opt.step()
print(loss.item())
