"""Domain-adversarial training with a gradient reversal layer."""
import torch
from torch import nn


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.lam * g, None


torch.manual_seed(0)
shift = torch.tensor([3.0, -1.0, 0.0, 0.0])
src = torch.randn(300, 4)
lab = (src[:, 2] * src[:, 3] > 0).long()
tgt = torch.randn(300, 4) + shift
f = nn.Sequential(nn.Linear(4, 32), nn.ReLU())
c, d = nn.Linear(32, 2), nn.Linear(32, 2)
opt = torch.optim.SGD([*f.parameters(), *c.parameters(), *d.parameters()], lr=0.01, momentum=0.9)
for epoch in range(8):
    lam = 2 / (1 + torch.exp(torch.tensor(-epoch / 2.0)).item()) - 1
    for i, j in zip(torch.randperm(300).split(30), torch.randperm(300).split(30)):
        hs, ht = f(src[i]), f(tgt[j])
        dom = d(Reverse.apply(torch.cat([hs, ht]), lam))
        where = torch.cat([torch.zeros(30), torch.ones(30)]).long()
        loss = nn.functional.cross_entropy(c(hs), lab[i]) + nn.functional.cross_entropy(dom, where)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
