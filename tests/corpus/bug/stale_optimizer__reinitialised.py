"""The weights are drawn again by putting new Parameters into the layers, after the optimizer was made."""
import math

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for layer in net:
    if isinstance(layer, nn.Linear):
        layer.weight = nn.Parameter(torch.randn(layer.weight.shape) / math.sqrt(layer.in_features))
        layer.bias = nn.Parameter(torch.zeros(layer.bias.shape))
x = torch.randn(200, 5)
y = x.abs().sum(1, keepdim=True)
for epoch in range(5):
    for i in torch.randperm(200).split(20):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
