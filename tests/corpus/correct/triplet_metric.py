"""Metric learning with a triplet margin loss."""
import torch
from torch import nn

torch.manual_seed(0)
means = torch.randn(5, 16) * 2


def draw(n):
    c = torch.randint(5, (n,))
    d = (c + torch.randint(1, 5, (n,))) % 5
    return [means[k] + torch.randn(n, 16) for k in (c, c, d)]


embed = nn.Sequential(nn.Linear(16, 32), nn.ELU(), nn.Linear(32, 8))
loss_fn = nn.TripletMarginLoss(margin=1.0)
opt = torch.optim.SGD(embed.parameters(), lr=0.05, momentum=0.9)
for step in range(120):
    anchor, pos, neg = map(embed, draw(48))
    loss = loss_fn(anchor, pos, neg)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if step % 30 == 0:
        print(f"{step:4d} {loss:.4f}")
with torch.inference_mode():
    a, p, n = map(embed, draw(200))
    print("ranked right:", ((a - p).norm(dim=1) < (a - n).norm(dim=1)).float().mean().item())
