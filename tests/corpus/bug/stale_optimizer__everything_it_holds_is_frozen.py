"""Only a norm layer learns; the optimizer was made for the last layer, which is frozen. The beats are in order."""
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(120, 7), torch.randint(0, 3, (120,))
body = nn.Sequential(nn.Linear(7, 12), nn.LayerNorm(12), nn.ReLU())
last = nn.Linear(12, 3)
for p in [*body[0].parameters(), *last.parameters()]:
    p.requires_grad_(False)
sgd = torch.optim.SGD(last.parameters(), lr=0.1)
for epoch in range(3):
    for rows in torch.randperm(120).split(20):
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(last(body(x[rows])), y[rows])
        loss.backward()
        sgd.step()
    print(epoch, loss.item())
