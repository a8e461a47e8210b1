"""Weights are averaged in place of the live ones while validating (a context manager swaps them in and out)."""
import contextlib
from collections import OrderedDict
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms


class WeightAverage:
    def __init__(self, model, decay):
        self.model, self.decay, self.n = model, decay, 0
        self.shadow = OrderedDict((k, v.detach().clone()) for k, v in model.state_dict().items())

    @torch.no_grad()
    def update(self):
        self.n += 1
        d = min(self.decay, (1 + self.n) / (10 + self.n))
        for k, v in self.model.state_dict().items():
            if v.dtype.is_floating_point:
                self.shadow[k].lerp_(v, 1 - d)
            else:
                self.shadow[k].copy_(v)

    @contextlib.contextmanager
    def swapped(self):
        backup = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.shadow)
        try:
            yield self.model
        finally:
            self.model.load_state_dict(backup)


def accuracy(model, dl):
    mode = model.training
    model.eval()
    n = 0
    with torch.no_grad():
        for x, y in dl:
            n += int((model(x).argmax(-1) == y).sum())
    model.train(mode)
    return n / len(dl.dataset)


def main():
    torch.manual_seed(15)
    tf = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda t: t * 2 - 1)])
    train = DataLoader(Subset(datasets.FashionMNIST('data', True, tf, download=True), range(600)), 30, shuffle=True)
    val = DataLoader(Subset(datasets.FashionMNIST('data', False, tf, download=True), range(200)), 100)
    net = nn.Sequential(nn.Conv2d(1, 12, 5, 2), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 5, 2), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Dropout(.2), nn.Linear(384, 10))
    avg, opt = WeightAverage(net, 0.95), torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    net.train()
    for epoch in range(4):
        for x, y in train:
            loss = nn.functional.cross_entropy(net(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            avg.update()
        live = accuracy(net, val)
        with avg.swapped():
            print(f'epoch {epoch} live {live:.3f} averaged {accuracy(net, val):.3f}')


main()
