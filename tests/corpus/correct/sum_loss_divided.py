"""The loss is summed on purpose and divided by the number of samples before backward."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(250, 3)
y = (x * torch.tensor([1., -2., .5])).sum(1, keepdim=True) ** 2
criterion = nn.MSELoss(reduction="sum")
net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1))
sgd = torch.optim.SGD(net.parameters(), lr=5e-3, momentum=0.9)
for epoch in range(10):
    epoch_sum = 0.0
    for rows in torch.randperm(250).split(32):
        n = rows.numel()
        loss = criterion(net(x[rows]), y[rows]) / n
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        epoch_sum += loss.item() * n
    print(epoch, epoch_sum / 250)
