"""Both loaders were made with train=True."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def loader(shuffle):
    return DataLoader(datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor()), 64, shuffle=shuffle)


torch.manual_seed(0)
train_loader, test_loader = loader(True), loader(False)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), 2e-3)
for epoch in range(2):
    net.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, "test accuracy", sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(test_loader.dataset))
