"""Modules of PyTorch that compile their own classes when they are imported, and a scripted loss of one's own."""
import torch
import torch.distributed.optim
import torch.distributed.rpc  # noqa: F401
from torch import nn


@torch.jit.script
def scaled(a: torch.Tensor, b: torch.Tensor, by: float = 2.0) -> torch.Tensor:
    return nn.functional.mse_loss(a, b) * by


torch.manual_seed(0)
x = torch.randn(90, 3)
net = torch.jit.script(nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Linear(10, 1)))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    for rows in torch.randperm(90).split(30):
        opt.zero_grad()
        loss = scaled(net(x[rows]), x[rows].sum(1, keepdim=True))
        loss.backward()
        opt.step()
print(loss.item(), isinstance(net, torch.jit.ScriptModule), scaled.code.count("mse_loss"))
