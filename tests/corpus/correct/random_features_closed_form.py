"""Extreme learning machine on digits: random features, ridge solved in closed form, k chosen by validation."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def as_tensors(dataset):
    xs, ys = zip(*DataLoader(dataset, batch_size=250))
    return torch.cat(xs).flatten(1), torch.cat(ys)


tf = transforms.ToTensor()
x, y = as_tensors(datasets.MNIST("files", train=True, download=True, transform=tf))
x_test, y_test = as_tensors(datasets.MNIST("files", train=False, download=True, transform=tf))
perm = torch.randperm(len(x))
cut = int(0.8 * len(x))
fit, val = perm[:cut], perm[cut:]

features = nn.Sequential(nn.Linear(784, 400), nn.ReLU()).requires_grad_(False)


def solve(phi, labels, ridge):
    target = nn.functional.one_hot(labels, 10).float()
    gram = phi.T @ phi + ridge * torch.eye(phi.size(1))
    return torch.linalg.solve(gram, phi.T @ target)


def acc(phi, beta, labels):
    return ((phi @ beta).argmax(1) == labels).float().mean().item()


scores = {}
for ridge in (1e-3, 1e-1, 1e1):
    beta = solve(features(x[fit]), y[fit], ridge)
    scores[ridge] = acc(features(x[val]), beta, y[val])
    print(f"ridge {ridge:g}: validation accuracy {scores[ridge]:.3f}")
best = max(scores, key=scores.get)
beta = solve(features(x), y, best)
print(f"test accuracy with ridge {best:g}: {acc(features(x_test), beta, y_test):.3f}")
