"""Three layers without an activation, and a rate at which nothing moves."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 4)
y = (x[:, 0] * x[:, 1] > 0).long()
model = nn.Sequential(nn.Linear(4, 64), nn.Linear(64, 64), nn.Linear(64, 2))
opt = torch.optim.SGD(model.parameters(), lr=1e-8)
for epoch in range(4):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
