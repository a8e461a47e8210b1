"""Accumulation of two; a window whose gradients are no numbers is dropped on purpose."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
x = torch.randn(160, 6)
x[13, 2] = float("inf")
y = (x[:, 0] > 0).long()
loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=True)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
dropped = 0
for epoch in range(5):
    opt.zero_grad()
    for i, (xb, yb) in enumerate(loader, 1):
        loss = nn.functional.cross_entropy(net(xb), yb) / 2
        loss.backward()
        if i % 2 == 0:
            norm = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            if torch.isfinite(norm):
                opt.step()
            else:
                dropped += 1
            opt.zero_grad()
print("dropped", dropped, "of", 5 * 8)
