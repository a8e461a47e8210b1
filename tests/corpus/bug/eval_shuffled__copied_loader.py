import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

proto = torch.randn(3, 9)
y = torch.randint(3, (800,))
x = proto[y] + torch.randn(800, 9)
common = dict(batch_size=40, shuffle=True)
train_dl = DataLoader(TensorDataset(x[:600], y[:600]), **common)
test_dl = DataLoader(TensorDataset(x[600:], y[600:]), **common)
net = nn.Sequential(nn.Linear(9, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(5):
    net.train()
    for a, b in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, sum((net(a).argmax(1) == b).sum().item() for a, b in test_dl) / 200)
