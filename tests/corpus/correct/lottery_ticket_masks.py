"""Iterative magnitude pruning with rewinding (the lottery ticket), masks kept by gradient hooks."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class LeNet300(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 100), nn.Linear(100, 50), nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


def weights(net):
    return {n: p for n, p in net.named_parameters() if p.dim() > 1}


def attach(net, masks):
    with torch.no_grad():
        for n, p in weights(net).items():
            p.mul_(masks[n])
            p.register_hook(lambda grad, m=masks[n]: grad * m)


def train(net, loader, epochs):
    net.train()
    opt = torch.optim.SGD(net.parameters(), lr=0.1)  # no momentum: a masked weight stays zero
    for _ in range(epochs):
        for x, y in loader:
            loss = F.cross_entropy(net(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()


def test(net, loader):
    net.eval()
    hits = n = 0
    with torch.no_grad():
        for x, y in loader:
            hits += net(x).argmax(1).eq(y).sum().item()
            n += y.size(0)
    return hits / n


def main():
    torch.manual_seed(0)
    tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train_dl = DataLoader(datasets.MNIST("./data", True, tf, download=True), 64, shuffle=True)
    test_dl = DataLoader(datasets.MNIST("./data", False, tf, download=True), 500)
    origin = LeNet300().state_dict()
    origin = copy.deepcopy(origin)
    masks = {k: torch.ones_like(v) for k, v in origin.items() if v.dim() > 1}
    for round_ in range(3):
        net = LeNet300()
        net.load_state_dict(origin)
        attach(net, masks)
        train(net, train_dl, epochs=2)
        left = sum(m.sum().item() for m in masks.values()) / sum(m.numel() for m in masks.values())
        print(f"round {round_}: {left:.0%} of the weights, accuracy {test(net, test_dl):.3f}")
        for n, p in weights(net).items():
            alive = p.detach().abs()[masks[n].bool()]
            masks[n] = (p.detach().abs() > alive.quantile(0.4)).float() * masks[n]


main()
