"""No no_grad block: the parameters are frozen for the time of the evaluation."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 6)
y = x.norm(dim=1, keepdim=True)
net = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)


def score():
    net.requires_grad_(False)
    net.eval()
    out = nn.functional.mse_loss(net(x[250:]), y[250:])
    net.requires_grad_(True)
    net.train()
    return float(out)


for epoch in range(6):
    for i in torch.randperm(250).split(25):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[i]), y[i]).backward()
        opt.step()
    print(epoch, score())
