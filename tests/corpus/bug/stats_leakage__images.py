"""Mean and deviation of all images there are, the test images included."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import Compose, Normalize, ToTensor


def pixel_stats(*parts):
    pixels = torch.cat([p.data.flatten() for p in parts]).float() / 255
    return pixels.mean().item(), pixels.std().item()


torch.manual_seed(0)
train_raw, test_raw = (FashionMNIST("data", train=flag, download=True) for flag in (True, False))
mean, std = pixel_stats(train_raw, test_raw)
tf = Compose([ToTensor(), Normalize(mean, std)])
train_raw.transform = test_raw.transform = tf
train, test = DataLoader(train_raw, 64, shuffle=True), DataLoader(test_raw, 64)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(3):
    net.train()
    for x, y in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, sum((net(x).argmax(1) == y).sum().item() for x, y in test) / len(test_raw))
