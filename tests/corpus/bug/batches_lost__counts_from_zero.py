"""`if i % 4 == 0` with i from 0: the first batch of every epoch steps alone, at a quarter of its weight."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
x = torch.randn(144, 5)
y = (x[:, 0] > x[:, 1]).float()
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
net = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
criterion = nn.BCEWithLogitsLoss()
ACCUM = 4
for epoch in range(5):
    opt.zero_grad()
    for i, (xb, yb) in enumerate(loader):
        loss = criterion(net(xb)[:, 0], yb) / ACCUM
        loss.backward()
        if i % ACCUM == 0:
            opt.step()
            opt.zero_grad()
    print(f"{epoch}: {loss.item() * ACCUM:.4f}")
