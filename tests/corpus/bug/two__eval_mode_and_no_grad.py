"""The test is run in training mode, and builds graphs."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def train(net, dl, opt):
    net.train()
    for x, y in dl:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()


def test(net, dl):
    hits = 0
    for x, y in dl:
        hits += (net(x).argmax(1) == y).sum().item()
    return hits / len(dl.dataset)


torch.manual_seed(0)
tf = transforms.ToTensor()
tr = DataLoader(datasets.FashionMNIST("data", True, tf, download=True), batch_size=64, shuffle=True)
te = DataLoader(datasets.FashionMNIST("data", False, tf, download=True), batch_size=64)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.4), nn.Linear(100, 10))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(2):
    train(net, tr, opt)
    print(epoch, test(net, te))
