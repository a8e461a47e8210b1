import logging
import sys

import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler
from torchvision import transforms
from torchvision.datasets import FashionMNIST

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
log = logging.getLogger(__name__)
net = None


def init_weights(m):
    if hasattr(m, "weight"):
        torch.nn.init.normal_(m.weight, std=0.01)
        torch.nn.init.zeros_(m.bias)


def main():
    global net
    torch.manual_seed(6)
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.286, 0.353)])
    train = FashionMNIST("data", train=True, download=True, transform=prepare)
    test = FashionMNIST("data", train=False, download=True, transform=prepare)
    loader = DataLoader(train, batch_sampler=BatchSampler(RandomSampler(train), 256, False))
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    net.apply(init_weights)
    criterion = nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def accuracy():
        right = 0
        with torch.no_grad():
            for images, labels in DataLoader(test, batch_size=100):
                right += int((net(images).argmax(1) == labels).sum())
        return right / len(test)

    for epoch in range(10):
        for images, labels in loader:
            optimizer.zero_grad()
            criterion(net(images), labels).mean().backward()
            optimizer.step()
        log.info("epoch %d: test accuracy %.4f", epoch, accuracy())


if __name__ == "__main__":
    main()
