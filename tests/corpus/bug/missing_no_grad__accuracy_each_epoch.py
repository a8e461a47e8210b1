"""Accuracy is computed by a helper in the middle of the epoch's print."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def count_right(net, loader, device):
    return sum(int((net(x.to(device)).argmax(-1).cpu() == y).sum()) for x, y in loader)


class Experiment:
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def __init__(self):
        torch.manual_seed(0)
        tf = transforms.ToTensor()
        self.train = DataLoader(datasets.MNIST("data", True, tf, download=True), 64, shuffle=True)
        self.test = DataLoader(datasets.MNIST("data", False, tf, download=True), 64)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10)).to(self.device)
        self.opt = torch.optim.AdamW(self.net.parameters(), 2e-3)

    def run(self, epochs):
        for epoch in range(epochs):
            self.net.train()
            for x, y in self.train:
                x, y = x.to(self.device), y.to(self.device)
                self.opt.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(self.net(x), y).backward()
                self.opt.step()
            self.net.eval()
            print(epoch, count_right(self.net, self.test, self.device) / len(self.test.dataset))


Experiment().run(2)
