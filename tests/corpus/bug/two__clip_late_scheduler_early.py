"""Clipping after the step, and StepLR counted in epochs but stepped before the optimizer each epoch."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

x = torch.randn(640, 6)
y = (x[:, :1] - x[:, 1:2]) ** 2
loader = DataLoader(TensorDataset(x, y), 32, shuffle=True)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=3, gamma=0.3)
for epoch in range(9):
    sched.step()
    for a, b in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(a), b)
        loss.backward()
        opt.step()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    print(epoch, loss.item(), opt.param_groups[0]["lr"])
