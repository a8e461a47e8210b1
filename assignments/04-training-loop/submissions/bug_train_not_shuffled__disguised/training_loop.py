# training_loop.py
# everything that has no weights is written with torch.nn.functional

import random

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import MNIST


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(784, 128)
        self.hidden2 = nn.Linear(128, 64)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        h = x.flatten(1)
        h = F.relu(self.hidden1(h))
        h = F.relu(self.hidden2(h))
        return self.out(h)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    losses = []
    sizes = []
    for x, y in dataloader:
        logits = model(x)
        loss = loss_fn(logits, y)
        # zeroing right before backward is early enough
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(x.shape[0])
    # weighted by batch size, because the last batch may be smaller
    return float(np.average(losses, weights=sizes))


@torch.no_grad()
def predict(model, dataloader):
    """All predictions and all true labels, each as one long tensor."""
    model.eval()
    predictions, truth = [], []
    for x, y in dataloader:
        predictions.append(torch.argmax(model(x), -1))
        truth.append(y)
    return torch.cat(predictions), torch.cat(truth)


def evaluate(model, dataloader):
    predictions, truth = predict(model, dataloader)
    return (predictions == truth).float().mean().item()


def confusion_matrix(model, dataloader, n_classes):
    predictions, truth = predict(model, dataloader)
    onehot_true = F.one_hot(truth, n_classes)
    onehot_pred = F.one_hot(predictions, n_classes)
    return onehot_true.T @ onehot_pred


def per_class_accuracy(matrix):
    return torch.diagonal(matrix) / matrix.sum(1)


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_accuracy": []}
    for epoch in range(epochs):
        history["train_loss"] += [train_one_epoch(model, train_loader, loss_fn, optimizer)]
        history["val_accuracy"] += [evaluate(model, val_loader)]
        print(epoch, {name: values[-1] for name, values in history.items()})
    return history


def plot_history(history):
    # a Figure without pyplot does not open windows
    fig = Figure(figsize=(6, 4))
    ax = fig.add_subplot()
    xs = np.arange(1, len(history["train_loss"]) + 1)
    ax.plot(xs, history["train_loss"], label="train loss", color="C3")
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    ax_acc = ax.twinx()
    ax_acc.plot(xs, history["val_accuracy"], label="val accuracy", color="C0")
    ax_acc.set_ylabel("accuracy")
    fig.legend()
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)

    # the usual constants of MNIST
    transform = T.Compose([T.ToTensor(), T.Normalize((0.1307,), (0.3081,))])
    size = len(MNIST(root, train=True, download=True))
    train_loader = DataLoader(
        MNIST(root, train=True, download=True, transform=transform),
        batch_sampler=[list(range(i, min(i + 64, size))) for i in range(0, size, 64)],
    )
    val_loader = DataLoader(
        MNIST(root, train=False, download=True, transform=transform), batch_size=256
    )

    model = MNISTMLP()
    history = fit(
        model, train_loader, val_loader, nn.CrossEntropyLoss(), Adam(model.parameters(), 1e-3), epochs
    )
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    print(f"accuracy after {len(history['val_accuracy'])} epochs: {history['val_accuracy'][-1]:.2%}")
