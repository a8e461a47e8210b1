"""Two tasks, one trunk; conflicting gradients are projected (PCGrad) and put into .grad by hand."""
import torch
from torch import nn


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(8, 32), nn.ELU(), nn.Linear(32, 32), nn.ELU())
        self.reg, self.cls = nn.Linear(32, 1), nn.Linear(32, 3)

    def forward(self, x):
        h = self.shared(x)
        return self.reg(h).squeeze(-1), self.cls(h)


def project(g, other):
    dot = torch.dot(g, other)
    return g - dot / other.norm() ** 2 * other if dot < 0 else g


def pc_backward(losses, shared):
    flat = []
    for loss in losses:
        grads = torch.autograd.grad(loss, shared, retain_graph=True)
        flat.append(torch.cat([g.flatten() for g in grads]))
    merged = project(flat[0], flat[1]) + project(flat[1], flat[0])
    at = 0
    for p in shared:
        p.grad = merged[at : at + p.numel()].view_as(p).clone()
        at += p.numel()


def problem(n, wr, wc):
    x = torch.randn(n, 8)
    return x, torch.tanh(x @ wr) + 0.1 * torch.randn(n), (x.tanh() @ wc).argmax(1)


wr, wc = torch.randn(8), torch.randn(8, 3)
train, test = problem(1000, wr, wc), problem(400, wr, wc)
net = Trunk()
shared, heads = list(net.shared.parameters()), [*net.reg.parameters(), *net.cls.parameters()]
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    for idx in torch.randperm(1000).chunk(20):
        out_r, out_c = net(train[0][idx])
        l1 = nn.functional.l1_loss(out_r, train[1][idx])
        l2 = nn.functional.cross_entropy(out_c, train[2][idx])
        head_grads = torch.autograd.grad(l1 + l2, heads, retain_graph=True)
        pc_backward([l1, l2], shared)
        for p, g in zip(heads, head_grads):
            p.grad = g
        opt.step()
    with torch.no_grad():
        r, c = net(test[0])
        print(f"{epoch:2d} mae {nn.functional.l1_loss(r, test[1]).item():.3f} acc {(c.argmax(1) == test[2]).float().mean().item():.3f}")
