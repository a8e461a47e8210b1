import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 16)
        self.b = nn.Linear(16, 16)
        self.c = nn.Linear(16, 1)

    def forward(self, x):
        h = torch.sigmoid(self.a(x))
        out = self.b(h)
        h += 1
        return self.c(torch.relu(out) * h)


torch.manual_seed(0)
X, Y = torch.randn(200, 6), torch.randn(200, 1)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(3):
    for i in torch.randperm(200).split(20):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(X[i]), Y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
