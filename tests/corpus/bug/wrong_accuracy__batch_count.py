"""Accuracy divided by the nominal batch size, last batch or not; the print says percent."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
B = 64
x = torch.randn(500, 6)
y = x[:, :3].argmax(1)
train, test = DataLoader(TensorDataset(x[:400], y[:400]), B, shuffle=True), DataLoader(TensorDataset(x[400:], y[400:]), B)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for epoch in range(5):
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    net.eval()
    right = 0
    with torch.no_grad():
        for a, b in test:
            right += (net(a).argmax(1) == b).sum().item()
    print(f"epoch {epoch} accuracy {100 * right / (len(test) * B):.2f}%")
