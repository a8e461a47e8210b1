"""Learnt loss weights, stepped by a second optimizer with a smaller rate."""
import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(200, 6)
a, b = (x[:, 0] > 0).long(), x[:, 1:3].sum(1)
trunk, heads = nn.Linear(6, 24), nn.ModuleList([nn.Linear(24, 2), nn.Linear(24, 1)])
log_vars = nn.Parameter(torch.zeros(2))
fast = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-2)
slow = torch.optim.SGD([log_vars], lr=1e-3)
for step in range(50):
    h = torch.relu(trunk(x))
    losses = torch.stack([nn.functional.cross_entropy(heads[0](h), a), nn.functional.mse_loss(heads[1](h)[:, 0], b)])
    loss = (losses * torch.exp(-log_vars) + log_vars).sum()
    fast.zero_grad(), slow.zero_grad()
    loss.backward()
    fast.step(), slow.step()
print(loss.item(), log_vars.tolist())
