"""A network that solves u' = -u, u(0) = 1: the loss holds a derivative by the input."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
t0 = torch.zeros(1, 1)
for it in range(300):
    t = (2 * torch.rand(64, 1)).requires_grad_(True)
    u = net(t)
    du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    loss = ((du + u) ** 2).mean() + ((net(t0) - 1) ** 2).squeeze()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 100 == 0:
        print(it, loss.item())
with torch.no_grad():
    t = torch.linspace(0, 2, 5)[:, None]
    print((net(t) - torch.exp(-t)).abs().max().item())
