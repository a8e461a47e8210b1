"""A linear probe on frozen random features: the probe has no nonlinearity on purpose."""
import torch
from torch import nn

torch.manual_seed(0)
features = nn.Sequential(nn.Linear(8, 256), nn.ReLU()).requires_grad_(False).eval()
x = torch.randn(500, 8)
y = (x[:, 0] * x[:, 1] > 0).long()
with torch.no_grad():
    z = features(x)
mean, std = z[:400].mean(0), z[:400].std(0) + 1e-6
z = (z - mean) / std
probe = nn.Linear(256, 2)
opt = torch.optim.SGD(probe.parameters(), lr=0.02, momentum=0.9)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(z[:400], y[:400]), 50, shuffle=True)
for epoch in range(10):
    for a, b in dl:
        loss = nn.functional.cross_entropy(probe(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    print("probe accuracy", (probe(z[400:]).argmax(1) == y[400:]).float().mean().item())
