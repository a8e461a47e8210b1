"""Two guards: a loss that is no number is not differentiated, a gradient that is none makes no step."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
table = torch.randn(300, 5)
price = table.sum(1, keepdim=True)
table[217, 3] = float("nan")
loader = DataLoader(TensorDataset(table[:260], price[:260]), batch_size=26, shuffle=True)
last = DataLoader(TensorDataset(table[270:], price[270:]), batch_size=10)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(5):
    skipped = 0
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x), y)
        if loss.isnan():
            skipped += 1
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        held = sum(nn.functional.mse_loss(net(x), y).item() for x, y in last) / len(last)
    print(epoch, loss.item(), held, "skipped", skipped)
