import torch, torch.nn as nn
torch.manual_seed(123)
net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1)); opt = torch.optim.Adam(net.parameters(), 1e-3)
tb = torch.zeros(1, 1).requires_grad_(True); tp = torch.linspace(0, 1, 30).view(-1, 1).requires_grad_(True)
for i in range(100):
    opt.zero_grad()
    u = net(tb); l1 = (u.squeeze() - 1) ** 2
    du = torch.autograd.grad(u, tb, torch.ones_like(u), create_graph=True)[0]; l2 = du.squeeze() ** 2
    u = net(tp); d = torch.autograd.grad(u, tp, torch.ones_like(u), create_graph=True)[0]; d2 = torch.autograd.grad(d, tp, torch.ones_like(d), create_graph=True)[0]
    l3 = torch.mean((d2 + 4 * d + 400 * u) ** 2)
    loss = l1 + 1e-1 * l2 + 1e-4 * l3
    loss.backward(); opt.step()
    if i % 25 == 0: print(i, loss.item())
