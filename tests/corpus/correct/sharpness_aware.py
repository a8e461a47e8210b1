"""SAM: climb, take the gradient there, climb back, step. Two backward passes to a step."""
import torch
from torch import nn


class SAM:
    def __init__(self, params, base, rho=0.05, **kw):
        self.params = list(params)
        self.base = base(self.params, **kw)
        self.rho = rho
        self.shift = []

    @torch.no_grad()
    def first_step(self):
        norm = torch.norm(torch.stack([p.grad.norm() for p in self.params])) + 1e-12
        self.shift = [p.grad * (self.rho / norm) for p in self.params]
        for p, e in zip(self.params, self.shift):
            p.add_(e)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for p, e in zip(self.params, self.shift):
            p.sub_(e)
        self.base.step()
        self.zero_grad()

    def zero_grad(self):
        self.base.zero_grad()


torch.manual_seed(0)
x = torch.randn(300, 8)
y = (x[:, 0] > x[:, 1]).long()
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
sam = SAM(net.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9)
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        loss.backward()
        sam.first_step()
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        sam.second_step()
    print(epoch, loss.item())
