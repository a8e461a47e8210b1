"""Two draws of rows by hand, one for each part: a third of the test rows were learnt from."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = (x[:, 0] > 0).long()
learn, test = torch.randperm(300)[:120], torch.randperm(300)[:100]
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(5):
    for rows in learn[torch.randperm(120)].split(20):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, (net(x[test]).argmax(1) == y[test]).float().mean().item())
