"""The optimizer step happens inside backward, parameter by parameter, through hooks."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
optimizers = {p: torch.optim.Adam([p], lr=5e-3, foreach=False) for p in net.parameters()}


def hook(p):
    optimizers[p].step()
    optimizers[p].zero_grad()


for p in net.parameters():
    p.register_post_accumulate_grad_hook(hook)
x = torch.randn(300, 6)
y = x[:, :1].abs()
for epoch in range(6):
    for i in torch.randperm(300).split(30):
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
    print(epoch, loss.item())
