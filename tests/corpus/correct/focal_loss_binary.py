"""Focal loss written by hand for a rare class."""
import torch
import torch.nn.functional as F
from torch import nn


def focal_loss(logits, targets, gamma=2.0, alpha=0.75):
    bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p = torch.exp(-bce)
    a = alpha * targets + (1 - alpha) * (1 - targets)
    return (a * (1 - p) ** gamma * bce).mean()


torch.manual_seed(0)
t = (torch.rand(600) < 0.1).float()
x = torch.randn(600, 4) + 1.5 * t[:, None]
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(8):
    for i in torch.randperm(500).split(50):
        opt.zero_grad()
        loss = focal_loss(net(x[i])[:, 0], t[i])
        loss.backward()
        opt.step()
with torch.no_grad():
    s = torch.sigmoid(net(x[500:])[:, 0])
    pos, neg = s[t[500:] == 1], s[t[500:] == 0]
    print("AUC", (pos[:, None] > neg[None]).float().mean().item())
