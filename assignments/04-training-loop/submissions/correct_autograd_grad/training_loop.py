"""Assignment 4. I wanted to see the gradients myself, so the loop asks torch.autograd.grad
for them and puts them where the optimizer looks."""

import torch
import torchvision
from matplotlib import pyplot as plt
from torch import nn


class MNISTMLP(nn.Module):
    """784 -> 128 -> 64 -> 10"""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.net(x)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    """One pass over the data; the mean loss over all samples."""
    model.train()
    params = [p for p in model.parameters() if p.requires_grad]
    loss_sum = torch.zeros((), dtype=torch.float64)
    count = 0
    for x, y in dataloader:
        loss = loss_fn(model(x), y)
        grads = torch.autograd.grad(loss, params)
        # no zero_grad needed: the old gradient is replaced, nothing is added to it
        for p, g in zip(params, grads):
            p.grad = g
        optimizer.step()
        loss_sum += loss.detach().double() * y.numel()
        count += y.numel()
    return (loss_sum / count).item()


def evaluate(model, dataloader):
    """Accuracy between 0 and 1."""
    model.eval()
    right = torch.tensor(0)
    total = torch.tensor(0)
    with torch.set_grad_enabled(False):
        for x, y in dataloader:
            right += torch.eq(model(x).argmax(1), y).sum()
            total += y.shape[0]
    return (right / total).item()


def confusion_matrix(model, dataloader, n_classes):
    """Rows: what it is. Columns: what the model says."""
    model.eval()
    matrix = torch.zeros((n_classes, n_classes), dtype=torch.int64)
    with torch.set_grad_enabled(False):
        for x, y in dataloader:
            guess = model(x).argmax(1)
            matrix.index_put_((y, guess), torch.ones_like(y), accumulate=True)
    return matrix


def per_class_accuracy(matrix):
    """diagonal / row sums; nan for a class that never occurs"""
    rows = matrix.sum(dim=1)
    nan = torch.full(rows.shape, torch.nan)
    return torch.where(rows > 0, matrix.diagonal() / rows.clamp(min=1), nan)


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = dict(train_loss=[], val_accuracy=[])
    for epoch in range(1, epochs + 1):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        history["val_accuracy"].append(evaluate(model, val_loader))
        print(f"[{epoch:2d}] {history['train_loss'][-1]:.4f} {history['val_accuracy'][-1]:.4f}")
    return history


def plot_history(history):
    fig, axes = plt.subplots(nrows=2, sharex=True)
    for ax, key in zip(axes, ("train_loss", "val_accuracy")):
        ax.plot(history[key], marker=".")
        ax.set_ylabel(key.replace("_", " "))
        ax.grid(True)
    axes[-1].set_xlabel("epoch")
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    tf = torchvision.transforms.ToTensor()
    loaders = {}
    for train in (True, False):
        ds = torchvision.datasets.MNIST(root, train=train, download=True, transform=tf)
        loaders[train] = torch.utils.data.DataLoader(ds, batch_size=64, shuffle=train)
    model = MNISTMLP()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, loaders[True], loaders[False], nn.CrossEntropyLoss(), opt, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    print("done:", history["val_accuracy"])
