"""A masked loss: a batch with nothing marked has a mean of nothing (nan), and counts for nothing."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 4)
marked = torch.rand(200) < 0.1
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
losses = []
for step in range(60):
    rows = torch.randint(0, 200, (8,))
    use = marked[rows]
    loss = (net(x[rows]).squeeze(1) - x[rows].sum(1)).pow(2)[use].mean()
    losses.append(loss.item())
    if use.any():
        opt.zero_grad()
        loss.backward()
        opt.step()
print(torch.tensor(losses).nanmean().item())
