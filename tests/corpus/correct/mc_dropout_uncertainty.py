"""Monte Carlo dropout on purpose: dropout stays on at prediction to measure uncertainty."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(200, 1) * 4 - 2
y = x ** 2 + 0.1 * torch.randn_like(x)
model = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
model.train()
for epoch in range(20):
    for i in torch.randperm(200).split(50):
        opt.zero_grad()
        nn.functional.mse_loss(model(x[i]), y[i]).backward()
        opt.step()


def enable_mc_dropout(m):
    for layer in m.modules():
        if isinstance(layer, nn.Dropout):
            layer.train()


def mc_dropout_predict(m, x, samples=30):
    m.eval()
    enable_mc_dropout(m)
    with torch.no_grad():
        draws = torch.stack([m(x) for _ in range(samples)])
    return draws.mean(0), draws.std(0)


grid = torch.linspace(-4, 4, 9).unsqueeze(1)
mean, std = mc_dropout_predict(model, grid)
for g, m, s in zip(grid, mean, std):
    print(f"x={g.item():+.1f}  mean {m.item():+.3f}  std {s.item():.3f}")
