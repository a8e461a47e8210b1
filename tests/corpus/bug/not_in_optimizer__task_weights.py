"""Two heads, weighted by uncertainties that the loss learns; only the network was handed to the optimizer."""
import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(240, 10)
kind = (x[:, 0] > 0).long()
size = x[:, 1:4].pow(2).sum(1)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.kind = nn.Linear(32, 2)
        self.size = nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.kind(h), self.size(h).squeeze(1)


class UncertaintyLoss(nn.Module):
    def __init__(self, tasks):
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(tasks))

    def forward(self, *losses):
        weights = torch.exp(-2 * self.log_sigma)
        return sum(w * l + s for w, l, s in zip(weights, losses, self.log_sigma))


model, joint = Two(), UncertaintyLoss(2)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(60):
    rows = torch.randint(0, 240, (40,))
    a, b = model(x[rows])
    loss = joint(nn.functional.cross_entropy(a, kind[rows]), nn.functional.mse_loss(b, size[rows]))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 19:
        print(step, loss.item(), joint.log_sigma.tolist())
