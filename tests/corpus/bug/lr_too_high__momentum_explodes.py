"""Plain SGD with momentum on unscaled targets: the loss is infinite after a few steps."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 10) * 5
y = x.sum(1, keepdim=True) ** 2
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(4):
    for i in torch.randperm(300).split(30):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
