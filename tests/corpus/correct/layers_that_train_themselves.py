"""Forward-forward: each layer has a `train(good, bad)` of its own, and the net an `eval(x)` that predicts."""
import torch
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.fc = nn.Linear(a, b)
        self.sgd = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)

    def forward(self, x):
        return F.relu(self.fc(x / (x.norm(dim=1, keepdim=True) + 1e-4)))

    def goodness(self, x):
        return self(x).square().mean(1)

    def train(self, good, bad):
        for _ in range(15):
            for rows in torch.randperm(len(good)).split(32):
                loss = F.softplus(1 - self.goodness(good[rows])) + F.softplus(self.goodness(bad[rows]) - 1)
                self.sgd.zero_grad()
                loss.mean().backward()
                self.sgd.step()
        return self(good).detach(), self(bad).detach()


class Net(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.layers = nn.ModuleList(map(Layer, sizes, sizes[1:]))

    def train(self, good, bad):
        for layer in self.layers:
            good, bad = layer.train(good, bad)

    def eval(self, x):
        with torch.no_grad():
            total = torch.zeros(len(x))
            for layer in self.layers:
                total += layer.goodness(x)
                x = layer(x)
        return total


torch.manual_seed(0)
good = torch.randn(96, 8).abs()
bad = torch.randn(96, 8)
net = Net(8, 24, 24)
net.train(good, bad)
print((net.eval(good) > net.eval(bad)).float().mean().item())
