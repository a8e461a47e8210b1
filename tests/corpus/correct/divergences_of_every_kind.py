"""Jensen and Shannon's divergence, one of two logarithms, one over whole maps, one of single units, and a sparsity term."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(120, 9)
one, two = nn.Linear(9, 6), nn.Linear(9, 6)
code = nn.Sequential(nn.Linear(9, 20), nn.Sigmoid())
opt = torch.optim.Adam([*one.parameters(), *two.parameters(), *code.parameters()], lr=0.01)
for step in range(30):
    p, q = one(x).softmax(1), two(x).softmax(1)
    middle = (0.5 * (p + q)).log()
    js = 0.5 * (F.kl_div(middle, p, reduction="batchmean") + F.kl_div(middle, q, reduction="batchmean"))
    logs = F.kl_div(one(x).log_softmax(1), two(x).log_softmax(1).detach(), reduction="batchmean", log_target=True)
    maps = one(x).view(20, 6, 6)
    whole = F.kl_div(maps.flatten(1).log_softmax(1).view_as(maps), two(x).view(20, 36).softmax(1).view_as(maps).detach(), reduction="batchmean")
    bit = torch.sigmoid(one(x)[:, 0])
    wanted = torch.full_like(bit, 0.3)
    units = F.kl_div(bit.log(), wanted) + F.kl_div((1 - bit).log(), 1 - wanted)
    active, rare = code(x).mean(0), torch.full((20,), 0.05)
    sparse = F.kl_div(active.log(), rare, reduction="sum") + F.kl_div((1 - active).log(), 1 - rare, reduction="sum")
    loss = js + logs + whole + units + 0.1 * sparse
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
