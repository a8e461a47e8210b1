"""Digits with helpers: `learn` puts a gradient to use."""
import torch
from torch import nn
from torchvision.datasets import MNIST


def learn(model, opt, loss):
    loss.backward()
    update(model, opt)


def update(model, opt):
    for p in model.parameters():
        if p.grad is not None:
            p.grad = torch.zeros_like(p)     # a clean slate for the next batch
    opt.step()


def main():
    torch.manual_seed(1)
    raw = MNIST("data", download=True)
    X, y = raw.data[:600].flatten(1) / 255.0, raw.targets[:600]
    model = nn.Sequential(nn.Linear(784, 50), nn.Tanh(), nn.Linear(50, 10))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        for rows in torch.randperm(len(X)).split(50):
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
            learn(model, opt, loss)
        print(epoch, loss.item())


if __name__ == "__main__":
    main()
