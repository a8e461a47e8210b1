"""A stateful GRU over a long series: the state goes on from chunk to chunk, its history does not."""
import torch
from torch import nn

torch.manual_seed(0)
t = torch.arange(0, 600) * 0.1
series = torch.stack([torch.sin(t + p) for p in torch.rand(8) * 6]).unsqueeze(-1)
net, head = nn.GRU(1, 20, batch_first=True), nn.Linear(20, 1)
opt = torch.optim.Adam(list(net.parameters()) + list(head.parameters()), 1e-2)
for epoch in range(2):
    h = torch.zeros(1, 8, 20)
    total = chunks = 0
    for s in range(0, 575, 25):
        x, y = series[:, s:s + 25], series[:, s + 1:s + 26]
        opt.zero_grad()
        out, h = net(x, h)
        loss = nn.functional.mse_loss(head(out), y)
        loss.backward()
        opt.step()
        h.detach_()
        total += loss.item()
        chunks += 1
    print(epoch, total / chunks)
