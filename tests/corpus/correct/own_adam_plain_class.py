"""Adam as a plain class with step and zero_grad; nothing of torch.optim is used."""
import torch
from torch import nn


class MyAdam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.t = lr, betas, eps, 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        with torch.no_grad():
            for i, p in enumerate(self.params):
                g = p.grad
                self.m[i] = b1 * self.m[i] + (1 - b1) * g
                self.v[i] = b2 * self.v[i] + (1 - b2) * g * g
                mh = self.m[i] / (1 - b1 ** self.t)
                vh = self.v[i] / (1 - b2 ** self.t)
                p -= self.lr * mh / (vh.sqrt() + self.eps)


torch.manual_seed(0)
x = torch.randn(400, 5)
y = x.abs().sum(1, keepdim=True)
net = nn.Sequential(nn.Linear(5, 48), nn.ReLU(), nn.Linear(48, 1))
opt = MyAdam(net.parameters(), lr=1e-2)
for epoch in range(10):
    tot = 0.0
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        loss = ((net(x[i]) - y[i]) ** 2).mean()
        loss.backward()
        opt.step()
        tot += loss.item()
    print(epoch, tot / 10)
