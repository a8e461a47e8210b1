import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

c = torch.randn(4, 10)
y = torch.arange(800) // 200
x = c[y] + 0.8 * torch.randn(800, 10)
xt = c.repeat(50, 1) + 0.8 * torch.randn(200, 10)
yt = torch.arange(4).repeat(50)
trainloader = DataLoader(TensorDataset(x, y), batch_size=25, shuffle=False)
testloader = DataLoader(TensorDataset(xt, yt), batch_size=25, shuffle=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(10, 32), nn.Linear(32, 4)

    def forward(self, x):
        return torch.softmax(self.l2(torch.relu(self.l1(x))), dim=1)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(6):
    net.train()
    for a, b in trainloader:
        opt.zero_grad()
        loss = nn.CrossEntropyLoss()(net(a), b)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, sum((net(a).argmax(1) == b).sum().item() for a, b in testloader) / 200)
