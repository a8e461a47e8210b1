"""`p.grad = None` in the wrong place; a training step in an object."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Step:
    def __init__(self, net, rate):
        self.net, self.opt = net, torch.optim.AdamW(net.parameters(), rate)

    def clear(self):
        for p in self.net.parameters():
            p.grad = None

    def __call__(self, x, y):
        loss = nn.functional.cross_entropy(self.net(x), y)
        loss.backward()
        self.clear()
        self.opt.step()
        return loss.item()


torch.manual_seed(0)
step = Step(nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)), 1e-3)
for epoch in range(2):
    for x, y in DataLoader(datasets.MNIST("data", True, transforms.ToTensor(), download=True), 64, shuffle=True):
        value = step(x, y)
    print(epoch, value)
