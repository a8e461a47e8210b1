"""The rate is divided by the number of samples although the loss is a mean already."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(500, 6)
y = (x[:, 0] + x[:, 1] > 0).float().unsqueeze(1)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
lr = 0.01 / len(x)
for epoch in range(6):
    for rows in torch.randperm(500).split(50):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows])
        grads = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for p, g in zip(net.parameters(), grads):
                p.sub_(lr * g)
    print(epoch, loss.item())
