"""Losses added up as tensors without their graphs, several losses summed before one backward, and the last one kept."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 6)
y = (x[:, 0] > 0).long()
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
for epoch in range(3):
    total, last = torch.zeros(()), None
    for a, b in loader:
        loss = sum(nn.functional.cross_entropy(net(part), kinds) for part, kinds in zip(a.split(5), b.split(5))) / 4
        opt.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        total += loss.detach() * len(b)
        last = loss
    print(epoch, (total / 240).item(), last.item())
