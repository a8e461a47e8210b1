"""The same forty lines, with a roof over them."""
from collections import OrderedDict

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import datasets


class Experiment:
    def __init__(self, rate, batch_size):
        self.net = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                hidden=nn.Linear(784, 256),
                bend=nn.ReLU(),
                output=nn.Linear(256, 10),
            )
        )
        self.net.apply(self.init_weights)
        self.batch_size = batch_size
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=rate)

    @staticmethod
    def init_weights(m):
        for name, w in m.named_parameters(recurse=False):
            if name == "weight":
                nn.init.normal_(w, 0.0, 0.01)
            else:
                nn.init.constant_(w, 0.0)

    def loader(self, train):
        raw = datasets.FashionMNIST("data", train=train, download=True)
        images = raw.data.reshape(-1, 784) / 255
        return DataLoader(TensorDataset(images, raw.targets), self.batch_size, shuffle=train)

    def fit(self, epochs):
        loader = self.loader(True)
        for _ in range(epochs):
            for images, labels in loader:
                self.step(images, labels)

    def step(self, images, labels):
        self.net.zero_grad()
        nn.functional.nll_loss(self.net(images).log_softmax(-1), labels).backward()
        self.optimizer.step()

    @torch.no_grad()
    def accuracy(self):
        hits = [self.net(x).argmax(1) == y for x, y in self.loader(False)]
        return torch.cat(hits).double().mean().item()


experiment = Experiment(rate=0.1, batch_size=256)
experiment.fit(epochs=10)
net = experiment.net
print("accuracy", round(experiment.accuracy(), 3))
