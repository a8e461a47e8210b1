"""Both sides of the divergence are logarithms, and nobody says so of the target."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
x = torch.randn(200, 6)
old = nn.Linear(6, 5).requires_grad_(False)
new = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 5))
opt = torch.optim.SGD(new.parameters(), lr=0.05)
for step in range(30):
    opt.zero_grad()
    loss = F.kl_div(F.log_softmax(new(x), 1), F.log_softmax(old(x), 1), reduction="batchmean")
    loss.backward()
    opt.step()
print(loss.item())
