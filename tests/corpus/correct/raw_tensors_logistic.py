"""Softmax regression from raw tensors: no nn.Module and no optimizer."""
import math

import torch
from torchvision.datasets import MNIST

ds = MNIST("./data", train=True, download=True)
x_all = ds.data.float().div(255).reshape(len(ds), -1)
y_all = ds.targets
n = min(800, len(ds))
perm = torch.randperm(len(ds))[:n]
x_all, y_all = x_all[perm], y_all[perm]
cut = int(0.8 * n)
x_train, y_train, x_valid, y_valid = x_all[:cut], y_all[:cut], x_all[cut:], y_all[cut:]

weights = torch.randn(784, 10) / math.sqrt(784)
weights.requires_grad_()
bias = torch.zeros(10, requires_grad=True)


def log_softmax(x):
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def model(xb):
    return log_softmax(xb @ weights + bias)


def nll(inp, target):
    return -inp[range(target.shape[0]), target].mean()


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


bs = 64
lr = 0.5
epochs = 5
for epoch in range(epochs):
    order = torch.randperm(cut)
    for i in range((cut - 1) // bs + 1):
        idx = order[i * bs:i * bs + bs]
        xb, yb = x_train[idx], y_train[idx]
        pred = model(xb)
        loss = nll(pred, yb)
        loss.backward()
        with torch.no_grad():
            weights -= weights.grad * lr
            bias -= bias.grad * lr
            weights.grad.zero_()
            bias.grad.zero_()
    with torch.no_grad():
        out = model(x_valid)
        print(epoch, nll(out, y_valid).item(), accuracy(out, y_valid).item())
