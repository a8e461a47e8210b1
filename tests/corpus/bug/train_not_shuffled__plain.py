import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.ToTensor()
train_loader = DataLoader(datasets.FashionMNIST("data", True, tf, download=True), batch_size=64, shuffle=False)
test_loader = DataLoader(datasets.FashionMNIST("data", False, tf, download=True), batch_size=64, shuffle=False)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    net.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(test_loader.dataset))
