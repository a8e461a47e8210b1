"""A decay meant for every second epoch, applied every second batch."""
import torch
from torch import nn, optim

torch.manual_seed(0)
EPOCHS = 6
x = torch.rand(400, 2)
y = torch.sin(5 * x[:, :1]) + x[:, 1:]
net = nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 1))
opt = optim.Adam(net.parameters(), lr=1e-2)
decay_every_2_epochs = optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
for epoch in range(EPOCHS):
    for i in torch.randperm(400).split(20):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
        decay_every_2_epochs.step()
    print(epoch, f"{opt.param_groups[0]['lr']:.2e}", loss.item())
