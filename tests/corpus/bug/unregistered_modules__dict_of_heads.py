"""One trunk, a head per sensor. The heads are kept in a plain dict."""
import torch
from torch import nn


class MultiHead(nn.Module):
    def __init__(self, sensors):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.heads = {s: nn.Linear(32, 1) for s in sensors}

    def forward(self, x):
        h = self.trunk(x)
        return {s: head(h).squeeze(-1) for s, head in self.heads.items()}


sensors = ["temp", "hum", "pres"]
x = torch.randn(900, 10)
targets = {s: torch.sin(x[:, k]) * (k + 1) + 0.05 * torch.randn(900) for k, s in enumerate(sensors)}
model = MultiHead(sensors)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(8):
    model.train()
    for idx in torch.randperm(800).split(40):
        out = model(x[idx])
        loss = sum(nn.functional.mse_loss(out[s], targets[s][idx]) for s in sensors)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        out = model(x[800:])
        print(epoch, {s: round(nn.functional.mse_loss(out[s], targets[s][800:]).item(), 3) for s in sensors})
