"""Meant to leave biases alone: the filter for the group without decay never matches."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 3))
no_decay_names = ["Bias", "LayerNorm.weight"]
groups = [
    {"params": [p for n, p in net.named_parameters() if not any(k in n for k in no_decay_names)], "weight_decay": 0.1},
    {"params": [p for n, p in net.named_parameters() if any(k in n for k in no_decay_names)], "weight_decay": 0.0},
]
opt = torch.optim.AdamW(groups, lr=5e-3)
x = torch.randn(300, 6)
y = x[:, :3].argmax(1)
for epoch in range(4):
    for i in torch.randperm(300).split(30):
        opt.zero_grad()
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, (net(x).argmax(1) == y).float().mean().item())
