"""A meter that is told means and divides by samples."""
import torch
from torch import nn


class Meter:
    def __init__(self):
        self.total, self.samples = 0.0, 0

    def add(self, value, samples):
        self.total += value
        self.samples += samples

    def value(self):
        return self.total / self.samples


torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] * x[:, 1] > 0).float()
net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    meter = Meter()
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[i]), y[i])
        loss.backward()
        opt.step()
        meter.add(loss.item(), len(i))
    print(f"epoch {epoch:d} mean loss {meter.value():.5f}")
