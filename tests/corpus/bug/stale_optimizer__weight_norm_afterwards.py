"""Wave generator; weight norm is put on after the optimizer was made."""
import math
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class WaveNetTiny(nn.Module):
    def __init__(self, c=16, layers=4):
        super().__init__()
        self.front = nn.Conv1d(1, c, 2)
        self.dilated = nn.ModuleList(nn.Conv1d(c, 2 * c, 2, dilation=2 ** k) for k in range(layers))
        self.mix = nn.ModuleList(nn.Conv1d(c, c, 1) for _ in range(layers))
        self.back = nn.Conv1d(c, 1, 1)

    def forward(self, x):
        h = self.front(nn.functional.pad(x, (1, 0)))
        for d, m in zip(self.dilated, self.mix):
            a, b = d(nn.functional.pad(h, (d.dilation[0], 0))).chunk(2, 1)
            h = h + m(torch.tanh(a) * torch.sigmoid(b))
        return self.back(h)


def apply_weight_norm(module):
    for m in list(module.modules()):
        if isinstance(m, nn.Conv1d):
            weight_norm(m)
    return module


def waves(n, length=48):
    t = torch.arange(length + 1) / 12
    f, p = torch.rand(n, 1) + 0.5, torch.rand(n, 1) * 2 * math.pi
    s = torch.sin(2 * math.pi * f * t / 2 + p) * torch.sin(f * t)
    return s[:, None, :-1], s[:, None, 1:]


def main():
    torch.manual_seed(0)
    model = WaveNetTiny()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model = apply_weight_norm(model)
    x, y = waves(480)
    xv, yv = waves(100)
    for epoch in range(6):
        model.train()
        for idx in torch.randperm(480).split(40):
            loss = nn.functional.mse_loss(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            print(f"epoch {epoch} train {loss.item():.4f} val {nn.functional.mse_loss(model(xv), yv).item():.4f}")


main()
