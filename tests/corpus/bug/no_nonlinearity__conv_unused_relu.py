"""A convolutional network that owns a ReLU and never calls it."""
import torch
import torch.nn as nn
from torchvision.datasets import MNIST


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, stride=2)
        self.conv2 = nn.Conv2d(6, 12, 5, stride=2)
        self.activation = nn.ReLU()
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(48, 10)

    def forward(self, x):
        x = self.conv1(x)
        self.activation(x)
        x = self.conv2(x)
        self.activation(x)
        return self.fc(torch.flatten(self.pool(x), 1))


torch.manual_seed(0)
ds = MNIST("data", download=True)
X, y = ds.data[:600, None].float() / 255, ds.targets[:600]
net = ConvNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(3):
    for i in torch.randperm(len(X)).split(60):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(X[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
