"""A range test: the rate grows until the loss explodes; then everything is put back and trained."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 6)
y = x.pow(2).sum(1, keepdim=True)
net = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 1))
start = copy.deepcopy(net.state_dict())
opt = torch.optim.SGD(net.parameters(), lr=1e-6)
curve = []
for k in range(60):
    lr = 1e-6 * 10 ** (k / 8)
    opt.param_groups[0]["lr"] = lr
    i = torch.randint(400, (40,))
    loss = nn.functional.mse_loss(net(x[i]), y[i])
    curve.append((lr, loss.item()))
    if not loss.isfinite() or loss.item() > 4 * curve[0][1]:
        break
    opt.zero_grad()
    loss.backward()
    opt.step()
lr = min(curve, key=lambda c: c[1])[0] / 10
print("chosen", lr)
net.load_state_dict(start)
opt = torch.optim.SGD(net.parameters(), lr=lr)
for epoch in range(6):
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
