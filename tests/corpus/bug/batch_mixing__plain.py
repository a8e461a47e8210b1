import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        n = x.size(0)
        x = x.squeeze(1).permute(1, 2, 0).reshape(n, -1)
        return self.fc2(torch.relu(self.fc1(x)))


torch.manual_seed(0)
loader = DataLoader(datasets.MNIST("data", True, transforms.ToTensor(), download=True), batch_size=50, shuffle=True)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(2):
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
