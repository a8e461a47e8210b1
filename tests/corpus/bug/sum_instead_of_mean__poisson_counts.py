"""Poisson regression of bike counts with plain SGD; the rate was tuned for a mean and the reduction says sum."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
x = torch.randn(1280, 5)
rate = torch.exp(0.6 + 0.3 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2].tanh())
y = torch.poisson(rate)
loader = DataLoader(TensorDataset(x[:1024], y[:1024]), 64, shuffle=True)


class CountNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(5, 24), nn.Tanh(), nn.Linear(24, 1))

    def forward(self, x):
        return self.seq(x).squeeze(1)


def criterion(log_rate, counts):
    return nn.functional.poisson_nll_loss(log_rate, counts, log_input=True, reduction="sum")


model = CountNet()
opt = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(8):
    model.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        val = nn.functional.poisson_nll_loss(model(x[1024:]), y[1024:])
    print(f"epoch {epoch}: batch loss {loss.item():.3f}, val {val.item():.3f}")
