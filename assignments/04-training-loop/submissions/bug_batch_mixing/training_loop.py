"""Assignment 04 with my own weights instead of nn.Linear."""
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST


def weight(n_out, n_in):
    w = torch.empty(n_out, n_in)
    nn.init.kaiming_uniform_(w, a=math.sqrt(5))
    return nn.Parameter(w)


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.b1 = weight(128, 784), nn.Parameter(torch.zeros(128))
        self.w2, self.b2 = weight(64, 128), nn.Parameter(torch.zeros(64))
        self.w3, self.b3 = weight(10, 64), nn.Parameter(torch.zeros(10))

    def forward(self, x):
        x = x.reshape(784, -1).T  # one column of pixels per image
        x = F.linear(x, self.w1, self.b1).clamp(min=0)
        x = F.linear(x, self.w2, self.b2).clamp(min=0)
        return F.linear(x, self.w3, self.b3)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    total_loss = 0.0
    n = 0
    for x, y in dataloader:
        y_hat = model(x)
        loss = loss_fn(y_hat, y)
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = None
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            total_loss += loss * len(x)
            n += len(x)
    return float(total_loss / n)


def evaluate(model, dataloader):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for x, y in dataloader:
            correct += (model(x).argmax(axis=1) == y).sum()
            total += y.numel()
    return (correct / total).item()


def confusion_matrix(model, dataloader, n_classes):
    model.eval()
    cm = torch.zeros(n_classes, n_classes).long()
    with torch.no_grad():
        for x, y in dataloader:
            pairs = torch.stack([y, model(x).argmax(axis=1)], dim=1)
            cells, counts = pairs.unique(dim=0, return_counts=True)
            cm[cells[:, 0], cells[:, 1]] += counts  # cells are unique, so this is safe
    return cm


def per_class_accuracy(matrix):
    return matrix.diagonal().true_divide(matrix.sum(dim=1))


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        history["val_accuracy"].append(evaluate(model, val_loader))
    return history


def plot_history(history):
    fig = plt.figure(figsize=(7, 3))
    axes = fig.subplots(1, 2)
    epochs = torch.arange(1, len(history["train_loss"]) + 1)
    axes[0].plot(epochs, history["train_loss"], marker="x")
    axes[0].set_title("mean training loss")
    axes[1].plot(epochs, torch.tensor(history["val_accuracy"]) * 100, marker="x")
    axes[1].set_title("validation accuracy in %")
    return fig


def as_tensors(root, train):
    mnist = MNIST(root, train=train, download=True)
    images = mnist.data.unsqueeze(1).float() / 255
    return TensorDataset(images, mnist.targets)


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    train_loader = DataLoader(as_tensors(root, True), batch_size=64, shuffle=True)
    val_loader = DataLoader(as_tensors(root, False), batch_size=1000)
    model = MNISTMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, train_loader, val_loader, F.cross_entropy, optimizer, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    print("loss", *(f"{v:.3f}" for v in history["train_loss"]))
    print("acc ", *(f"{v:.3f}" for v in history["val_accuracy"]))
