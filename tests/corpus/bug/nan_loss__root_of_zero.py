"""Pairs that should be near: the root of a distance that is sometimes exactly 0."""
import torch
from torch import nn

torch.manual_seed(0)
left = torch.randn(200, 6)
right = left.clone()
right[::2] += torch.randn(100, 6)
near = (left == right).all(1).float()
embed = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.Adam(embed.parameters(), lr=1e-3)
for epoch in range(3):
    for rows in torch.randperm(200).split(20):
        apart = (embed(left[rows]) - embed(right[rows])).pow(2).sum(1).sqrt()
        loss = (near[rows] * apart + (1 - near[rows]) * (2 - apart).clamp(min=0)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
