"""Two losses, two backward calls on one graph, one step: the gradients are meant to add up."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 6)
cls = (x[:, 0] > 0).long()
reg = x[:, 1:2] * 2
trunk, a, b = nn.Sequential(nn.Linear(6, 32), nn.Tanh()), nn.Linear(32, 2), nn.Linear(32, 1)
opt = torch.optim.Adam([*trunk.parameters(), *a.parameters(), *b.parameters()], lr=1e-2)
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        opt.zero_grad()
        h = trunk(x[i])
        l1 = nn.functional.cross_entropy(a(h), cls[i])
        l2 = nn.functional.mse_loss(b(h), reg[i])
        l1.backward(retain_graph=True)
        l2.backward()
        opt.step()
    print(epoch, l1.item(), l2.item())
