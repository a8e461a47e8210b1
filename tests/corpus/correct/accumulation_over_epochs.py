"""The window runs on across epochs: what one epoch leaves over, the next one completes."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
x = torch.randn(140, 7)
y = (x[:, 0] * 2 - x[:, 1]).unsqueeze(1)
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
every, seen = 3, 0
for epoch in range(6):
    for xb, yb in loader:
        (nn.functional.mse_loss(net(xb), yb) / every).backward()
        seen += 1
        if seen % every == 0:
            opt.step()
            opt.zero_grad()
    with torch.no_grad():
        print(epoch, nn.functional.mse_loss(net(x), y).item())
