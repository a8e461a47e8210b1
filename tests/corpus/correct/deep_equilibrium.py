"""Deep equilibrium layer: fixed point without a graph, gradient through one implicit hook."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class DEQ(nn.Module):
    def __init__(self, d=24, tol=1e-3, max_iter=25):
        super().__init__()
        self.w, self.u, self.norm = nn.Linear(d, d, bias=False), nn.Linear(6, d), nn.LayerNorm(d)
        self.out = nn.Linear(d, 3)
        self.tol, self.max_iter = tol, max_iter
        nn.init.orthogonal_(self.w.weight, gain=0.5)

    def f(self, z, x):
        return torch.tanh(self.w(z) + self.u(x))

    def solve(self, g, z):
        for _ in range(self.max_iter):
            new = g(z)
            if (new - z).norm() < self.tol * (1 + z.norm()):
                return new
            z = new
        return z

    def forward(self, x):
        with torch.no_grad():
            z = self.solve(lambda z: self.f(z, x), torch.zeros(x.size(0), self.w.in_features))
        z = self.f(z, x)
        if self.training:
            z0 = z.clone().detach().requires_grad_()
            f0 = self.f(z0, x)

            def backward_hook(grad):
                return self.solve(lambda y: torch.autograd.grad(f0, z0, y, retain_graph=True)[0] + grad, grad)

            z.register_hook(backward_hook)
        return self.out(self.norm(z))


x = torch.randn(900, 6)
y = (x[:, :2].norm(dim=1) > 1.2).long() + (x[:, 2] > 0.5).long()
train, test = TensorDataset(x[:700], y[:700]), TensorDataset(x[700:], y[700:])
net = DEQ()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(8):
    net.train()
    for a, b in DataLoader(train, 35, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        good = sum((net(a).argmax(1) == b).sum().item() for a, b in DataLoader(test, 50))
    print(epoch, f"loss {loss.item():.3f} acc {good / 200:.3f}")
